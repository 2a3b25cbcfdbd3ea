using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Model.Layers;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public sealed class NormLayerTests : IDisposable
{
    private readonly ComputeTeam _team = new(2);

    public void Dispose() => _team.Dispose();

    [Theory]
    [InlineData("""{"type":"batchnorm"}""")]
    [InlineData("""{"type":"batchnorm","momentum":0.25,"epsilon":0.001}""")]
    [InlineData("""{"type":"layernorm","epsilon":0.001}""")]
    public void WhatIsWrittenReadsAsTheSame(string layer)
    {
        var spec = Read(layer);
        Assert.Equal(spec.Layers[0], ModelSpec.FromJson(spec.ToJson(), "test").Layers[0]);
    }

    [Theory]
    [InlineData("""{"type":"batchnorm","momentum":1.5}""", "'momentum' is 1.5: use a number from 0 to 1")]
    [InlineData("""{"type":"batchnorm","epsilon":0}""", "'epsilon' is 0")]
    [InlineData("""{"type":"layernorm","epsilon":-1}""", "'epsilon' is -1")]
    [InlineData("""{"type":"layernorm","momentum":0.1}""", "'momentum' is not a property of layernorm")]
    public void BadPropertiesAreNamed(string layer, string expected) =>
        Assert.Contains(expected, Assert.Throws<InputException>(() => Read(layer)).Message, StringComparison.Ordinal);

    [Fact]
    public void NumbersOutOfRangeAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("momentum", () => new BatchNormSpec(momentum: float.NaN));
        Assert.Throws<ArgumentOutOfRangeException>("epsilon", () => new BatchNormSpec(epsilon: 0));
        Assert.Throws<ArgumentOutOfRangeException>("epsilon", () => new LayerNormSpec(epsilon: float.NaN));
    }

    [Fact]
    public void ParametersHavePyTorchsNamesShapesAndInitialValues()
    {
        Network network = new(
            Read("""{"type":"batchnorm","momentum":0.25},{"type":"layernorm"},{"type":"dense","units":2}"""),
            new SampleShape(3, 4, 5),
            2
        );
        Assert.Equal(
            [
                ("layers.0.weight", "3", null),
                ("layers.0.bias", "3", null),
                ("layers.0.running_mean", "3", 0.25f),
                ("layers.0.running_var", "3", 0.25f),
                ("layers.1.weight", "3,4,5", null),
                ("layers.1.bias", "3,4,5", null),
                ("layers.2.weight", "2,60", null),
                ("layers.2.bias", "2", (float?)null),
            ],
            network.Layout.Parameters.Select(parameter => (parameter.Name, string.Join(',', parameter.Shape), parameter.RunningMomentum))
        );
        var weights = new float[network.Layout.Length];
        network.InitializeWeights(1, weights);
        Assert.Equal([1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1], weights[..12]);
        Assert.All(weights[12..72], weight => Assert.Equal(1, weight));
        Assert.All(weights[72..132], bias => Assert.Equal(0, bias));
    }

    /// <summary>A plain vector is normalised feature by feature, an image channel by channel, also where it has only one.</summary>
    [Theory]
    [InlineData(1, 1, 6, 6)]
    [InlineData(6, 1, 1, 6)]
    [InlineData(1, 2, 3, 1)]
    [InlineData(2, 3, 1, 2)]
    public void ChannelsFollowTheShape(int channels, int height, int width, int normalised) =>
        Assert.Equal([normalised], new BatchNormSpec().Resolve(new SampleShape(channels, height, width)).Parameters[0].Shape);

    [Fact]
    public void TheGradientCarriesTheSumsOfWhatTheMicrobatchesObserved()
    {
        SmallProblem problem = new("""{"type":"batchnorm"}""", features: 5, classes: 3, rows: 11);
        (_, var gradient) = problem.Run(microbatch: 4, _team);
        var observed = new double[10];
        foreach (var microbatch in problem.Inputs.Chunk(5).Chunk(4))
        {
            for (var c = 0; c < 5; c++)
            {
                var mean = microbatch.Average(row => (double)row[c]);
                observed[c] += microbatch.Length * mean;
                observed[5 + c] += microbatch.Sum(row => Math.Pow(row[c] - mean, 2));
            }
        }

        for (var i = 0; i < observed.Length; i++)
            Assert.Equal(observed[i], gradient[10 + i], 1e-5);
    }

    [Theory]
    [InlineData(
        """{"type":"batchnorm"},{"type":"relu"},{"type":"conv2d","filters":3,"kernel":2},{"type":"batchnorm"},{"type":"layernorm"}"""
    )]
    public void EvaluationUsesTheRunningStatistics(string layers)
    {
        SampleShape shape = new(2, 4, 3);
        SmallProblem problem = new(layers, shape, classes: 3, rows: 7);
        foreach (var statistic in problem.Network.Layout.Parameters.Where(parameter => parameter.RunningMomentum is not null))
        {
            for (var i = 0; i < statistic.Length; i++)
                problem.Weights[statistic.Offset + i] += 0.25f * (i + 1);
        }

        NetworkExecutor executor = new(problem.Network, problem.Objective, microbatch: 3, maximumRows: 7, _team);
        executor.BindWeights(problem.Weights);
        var logits = new float[21];
        executor.Outputs(problem.Inputs, logits);
        ReferenceNetwork reference = new(problem.Spec, shape, classes: 3, microbatch: 3, training: false);
        double[] expected =
        [
            .. reference
                .Logits(Array.ConvertAll(problem.Weights, w => (double)w), Array.ConvertAll(problem.Inputs, x => (double)x))
                .SelectMany(row => row),
        ];
        for (var i = 0; i < logits.Length; i++)
            Assert.Equal(expected[i], logits[i], 1e-5);
    }

    [Fact]
    public void ThreadsAndBlocksGiveTheSameBits()
    {
        SmallProblem problem = new(
            """{"type":"batchnorm"},{"type":"conv2d","filters":20,"kernel":2},{"type":"batchnorm"},{"type":"layernorm"}""",
            new SampleShape(3, 9, 9),
            3,
            29
        );
        using ComputeTeam alone = new(1);
        var (sums, gradient) = problem.Run(microbatch: 4, alone);
        Assert.Equivalent((sums, gradient), problem.Run(microbatch: 4, _team), strict: true);
        Assert.Equivalent((sums, gradient), problem.RunInBlocks(microbatch: 4, blockMicrobatches: 2, _team), strict: true);
    }

    private static ModelSpec Read(string layers) => ModelSpec.FromJson($$"""{"layers":[{{layers}}]}""", "test");
}
