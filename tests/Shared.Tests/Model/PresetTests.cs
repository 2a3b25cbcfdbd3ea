using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Random;
using Distributed.Shared.Tests.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Model;

/// <summary>The models of images that need no file.</summary>
public sealed class PresetTests : IDisposable
{
    private readonly ComputeTeam _team = new(2);

    public void Dispose() => _team.Dispose();

    [Fact]
    public void CnnHasTwoConvolutionsAndAHiddenLayer() =>
        Assert.Equal(
            "1x28x28 -> conv2d 32 of 3x3, relu -> maxpool 2x2 -> conv2d 64 of 3x3, relu -> maxpool 2x2 -> dense 128, relu -> dense 10 (421,642 parameters)",
            new Network(ModelSpec.Parse("cnn"), new SampleShape(1, 28, 28), 10).Describe()
        );

    [Fact]
    public void Resnet8HasEightLayersWithWeightsBesideItsShortcuts()
    {
        Network network = new(ModelSpec.Parse("resnet8"), new SampleShape(3, 32, 32), 10);
        Assert.Equal(8, network.Layout.Parameters.Count(IsWeight) - network.Layout.Parameters.Count(IsOfAShortcut));
        Assert.Equal(2, network.Layout.Parameters.Count(IsOfAShortcut));
        Assert.Equal(18, network.Layout.RunningStatistics.Count);
        Assert.Equal(10, network.Layers[^1].OutputLength);

        static bool IsWeight(Parameter parameter) => parameter.Shape.Count > 1;
        static bool IsOfAShortcut(Parameter parameter) => parameter.Shape is [_, _, 1, 1];
    }

    [Theory]
    [InlineData("cnn", "1x28x28")]
    [InlineData("cnn", "3x32x32")]
    [InlineData("cnn", "1x4x4")]
    [InlineData("resnet8", "1x28x28")]
    [InlineData("resnet8", "3x32x32")]
    [InlineData("resnet8", "1x8x8")]
    public void PresetsTakeImagesAndLearnFromThem(string name, string shape)
    {
        int[] sizes = [.. shape.Split('x').Select(int.Parse)];
        Network network = new(ModelSpec.Parse(name), new SampleShape(sizes[0], sizes[1], sizes[2]), 10);
        NetworkExecutor executor = new(network, new Classification(network.OutputWidth), microbatch: 2, maximumRows: 4, _team);
        float[] weights = new float[network.Layout.Length],
            gradient = new float[weights.Length],
            inputs = new float[4 * network.InputLength];
        network.InitializeWeights(1, weights);
        CounterRandom random = new(1, RandomPurpose.Augmentation, 0);
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = random.Uniform((ulong)i);
        executor.BindWeights(weights);
        var before = executor.ForwardBackward(inputs, [1, 3, 5, 7], Pass.OfStep(1, 1, 0), gradient).Loss;
        foreach (var range in network.Layout.TrainedRanges)
        {
            for (var i = range.Start.Value; i < range.End.Value; i++)
                weights[i] -= 0.001f * gradient[i];
        }

        executor.BindWeights(weights);
        Assert.True(executor.ForwardBackward(inputs, [1, 3, 5, 7], Pass.OfStep(1, 1, 0), gradient).Loss < before);
    }

    [Theory]
    [InlineData("cnn")]
    [InlineData("resnet8")]
    public void AWarmedStepAllocatesNothing(string name)
    {
        Network network = new(ModelSpec.Parse(name), new SampleShape(1, 12, 12), 10);
        NetworkExecutor executor = new(network, new Classification(network.OutputWidth), microbatch: 8, maximumRows: 20, _team);
        float[] weights = new float[network.Layout.Length],
            gradient = new float[weights.Length],
            inputs = new float[20 * network.InputLength];
        network.InitializeWeights(1, weights);
        var labels = new int[20];
        AllocationAssert.NothingOnceWarm(() =>
        {
            executor.BindWeights(weights);
            executor.ForwardBackward(inputs, labels, Pass.OfStep(1, 1, 0), gradient);
            executor.Forward(inputs, labels);
        });
    }

    [Fact]
    public void DataWithoutImagesIsAnsweredWithAModelThatTakesIt()
    {
        var message = Assert.Throws<InputException>(() => new Network(ModelSpec.Parse("cnn"), new SampleShape(1, 1, 13), 10)).Message;
        Assert.StartsWith("layers[2] (maxpool)", message);
        Assert.Contains("32x1x13", message);
        Assert.EndsWith("the data has no images but 13 features: use a model without convolutions, such as mlp", message);
    }
}
