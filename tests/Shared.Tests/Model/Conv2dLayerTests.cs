using System.Text.Json;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Model.Layers;
using Distributed.Shared.Tests.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Model;

/// <summary>Convolutions beside PyTorch's, and their sizes; tests/golden/make_golden.py wrote what PyTorch did.</summary>
public sealed class Conv2dLayerTests : IDisposable
{
    private const int Rows = 3;
    private const float Tolerance = 1e-5f;

    private static readonly JsonElement[] Goldens =
    [
        .. JsonDocument.Parse(Resources.Text("golden-layers/conv2d.json")).RootElement.EnumerateArray(),
    ];

    private readonly ComputeTeam _team = new(2);

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Goldens.Length)];

    public void Dispose() => _team.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void PassesAgreeWithPyTorch(int index)
    {
        var golden = Goldens[index];
        var layer = LayerTypes.Read(new LayerFields("golden", golden.GetProperty("layer"))).Resolve(ShapeOf(golden));
        var executor = layer.CreateExecutor(new ExecutorOptions(Rows, Microbatch: 2, NeedsInputGradient: true, _team));
        float[] input = ChannelsLast(Values(golden, "input"), layer.Input),
            outputGradient = ChannelsLast(Values(golden, "outputGradient"), layer.Output);
        float[] weight = Values(golden, "weight"),
            parameterGradient = new float[layer.ParameterLength],
            inputGradient = new float[input.Length];
        var output = new float[outputGradient.Length];

        executor.BindWeights(weight.Concat(Values(golden, "bias")).ToArray());
        executor.Forward(input, Rows, output, Pass.Evaluation);
        AssertClose(ChannelsLast(Values(golden, "output"), layer.Output), output, "output");
        executor.Backward(
            new BackwardPass
            {
                Input = input,
                Output = output,
                Rows = Rows,
                OutputGradient = outputGradient,
                InputGradient = inputGradient,
                ParameterGradient = parameterGradient,
                Pass = Pass.Evaluation,
            }
        );
        AssertClose(ChannelsLast(Values(golden, "inputGradient"), layer.Input), inputGradient, "input gradient");
        AssertClose(Values(golden, "weightGradient"), parameterGradient.AsSpan(..weight.Length), "weight gradient");
        AssertClose(Values(golden, "biasGradient"), parameterGradient.AsSpan(weight.Length..), "bias gradient");
    }

    [Theory]
    [InlineData("relu")]
    [InlineData("tanh")]
    [InlineData("sigmoid")]
    public void AFunctionInTheSamePassHasTheSameBits(string function)
    {
        SampleShape shape = new(2, 5, 6);
        const string convolution = """{"type":"conv2d","filters":7,"kernel":3}""";
        SmallProblem fused = new($$"""{{convolution}},{"type":"{{function}}"}""", shape, classes: 3, rows: 5);
        SmallProblem separate = new(
            $$"""{{convolution}},{"type":"dropout","rate":0},{"type":"{{function}}"}""",
            shape,
            classes: 3,
            rows: 5
        );
        Assert.Equal(fused.Network.Layers.Count + 2, separate.Network.Layers.Count);
        fused.Weights.CopyTo(separate.Weights, 0); // the initial ones depend on the function that follows
        var (expected, gradient) = separate.Run(microbatch: 2, _team);
        var (sums, actual) = fused.Run(microbatch: 2, _team);
        Assert.Equal(expected, sums);
        BitAssert.Equal(gradient, actual);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(3, 4)]
    public void BlocksOfTheBatchAddUpToTheSameBits(int microbatch, int blockMicrobatches)
    {
        const string layers =
            """{"type":"conv2d","filters":5,"kernel":3,"padding":"same"},{"type":"relu"},{"type":"conv2d","filters":4,"kernel":2,"stride":2}""";
        SmallProblem problem = new(layers, new SampleShape(1, 6, 5), classes: 3, rows: 29);
        var (expected, gradient) = problem.Run(microbatch, _team);
        var (sums, merged) = problem.RunInBlocks(microbatch, blockMicrobatches, _team);
        Assert.Equal(expected, sums);
        BitAssert.Equal(gradient, merged);
    }

    [Theory]
    [InlineData("""{"type":"conv2d","filters":8,"kernel":3}""", "8x26x30")]
    [InlineData("""{"type":"conv2d","filters":8,"kernel":3,"padding":"same"}""", "8x28x32")]
    [InlineData("""{"type":"conv2d","filters":8,"kernel":[5,1],"stride":2,"padding":[2,0]}""", "8x14x16")]
    [InlineData("""{"type":"conv2d","filters":8,"kernel":[28,32]}""", "8x1x1")]
    public void SizesArePyTorchs(string layer, string output)
    {
        Network network = new(ModelSpec.FromJson($$"""{"layers":[{{layer}}]}""", "test"), new SampleShape(3, 28, 32), 10);
        Assert.Equal(output, network.Layers.First(resolved => resolved is Conv2dLayer).Output.ToString());
    }

    [Fact]
    public void ParametersAreNamedAndShapedAsInPyTorch()
    {
        const string model =
            """{"layers":[{"type":"conv2d","filters":8,"kernel":[3,5]},{"type":"conv2d","filters":2,"kernel":1,"bias":false}]}""";
        Network network = new(ModelSpec.FromJson(model, "test"), new SampleShape(3, 9, 9), 10);
        Assert.Equal(
            ["layers.0.weight [8, 3, 3, 5]", "layers.0.bias [8]", "layers.1.weight [2, 8, 1, 1]"],
            network.Layout.Parameters.Take(3).Select(parameter => $"{parameter.Name} [{string.Join(", ", parameter.Shape)}]")
        );
    }

    [Fact]
    public void AKernelThatDoesNotFitIsRefusedByPlaceAndSizes()
    {
        var spec = ModelSpec.FromJson("""{"layers":[{"type":"relu"},{"type":"conv2d","filters":8,"kernel":5,"padding":[0,1]}]}""", "test");
        var failure = Assert.Throws<InputException>(() => new Network(spec, new SampleShape(1, 4, 28), 10));
        Assert.Equal(
            "layers[1] (conv2d): a kernel of 5x5 does not fit into 1x4x28 padded by 0x1: use a smaller kernel or more padding",
            failure.Message
        );
    }

    [Fact]
    public void AKernelThatCouldNotBePlannedIsRefused()
    {
        var spec = ModelSpec.FromJson("""{"layers":[{"type":"conv2d","filters":1,"kernel":1024,"padding":1023}]}""", "m");
        var failure = Assert.Throws<InputException>(() => new Network(spec, new SampleShape(1, 28, 28), 10));
        Assert.StartsWith(
            "layers[0] (conv2d): a kernel of 1024x1024 over 1x28x28 padded by 1023x1023 takes ",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void TooManyWeightsAreRefusedByName()
    {
        ModelSpec spec = new([new Conv2dSpec(Conv2dSpec.MaximumFilters, ConvExtent.Square(1024), padding: ConvExtent.Square(512))]);
        var failure = Assert.Throws<InputException>(() => new Network(spec, new SampleShape(1, 1, 1), 10));
        Assert.StartsWith(
            "layers.0.weight of shape [65536, 1, 1024, 1024] makes the model larger than",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void WeightsThatDoNotFitInAnArrayOncePackedAreRefused()
    {
        // 2^26 weights of one filter, which the kernels keep beside 31 others.
        var layer = new Conv2dSpec(1, ConvExtent.Square(1024)).Resolve(new SampleShape(64, 1024, 1024));
        ExecutorOptions options = new(1, 1, NeedsInputGradient: false, _team);
        var failure = Assert.Throws<InputException>(() => layer.CreateExecutor(options));
        Assert.Equal(
            "conv2d 1 of 1024x1024: what its kernels need does not fit in one array: use a smaller kernel or fewer channels",
            failure.Message
        );
    }

    private static SampleShape ShapeOf(JsonElement golden)
    {
        var sizes = golden.GetProperty("shape").Deserialize<int[]>()!;
        return new SampleShape(sizes[0], sizes[1], sizes[2]);
    }

    private static float[] Values(JsonElement golden, string name) => golden.GetProperty(name).Deserialize<float[]>()!;

    private float[] ChannelsLast(float[] planar, SampleShape shape)
    {
        var values = new float[planar.Length];
        ChannelOrder.ToChannelsLast(planar, shape.Channels, shape.Height * shape.Width, values, _team);
        return values;
    }

    private static void AssertClose(float[] expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        var scale = expected.Max(Math.Abs);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= Tolerance * scale,
                $"element {i} of the {what} is {actual[i]}, PyTorch has {expected[i]}"
            );
        }
    }
}
