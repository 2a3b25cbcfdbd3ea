using Distributed.Model;
using Distributed.Model.Layers;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public class NetworkTests
{
    private static readonly SampleShape Digit = new(1, 8, 8);

    [Fact]
    public void ParametersHavePyTorchsNamesAndShapesWithoutGaps()
    {
        Network network = new(ModelSpec.Parse("mlp:33,20"), Digit, 10);
        Assert.Equal(
            [
                "layers.0.weight@0[33,64]",
                "layers.0.bias@2112[33]",
                "layers.1.weight@2145[20,33]",
                "layers.1.bias@2805[20]",
                "layers.2.weight@2825[10,20]",
                "layers.2.bias@3025[10]",
            ],
            network.Layout.Parameters.Select(parameter => $"{parameter.Name}@{parameter.Offset}[{string.Join(',', parameter.Shape)}]")
        );
        Assert.Equal(3035, network.Layout.Length);
        Assert.Equal(64, network.InputLength);
        Assert.Equal(10, network.OutputWidth);
    }

    [Theory]
    [InlineData("""{"type":"dense","units":10}""", 1)] // the last layer is there already
    [InlineData("""{"type":"dense","units":9}""", 2)]
    [InlineData("""{"type":"dense","units":10},{"type":"relu"}""", 2)] // it ends in a function, not in logits
    [InlineData("", 1)]
    public void ALastDenseLayerIsAddedWhereTheModelDoesNotEndInOne(string layers, int expected)
    {
        Network network = new(ModelSpec.FromJson($$"""{"layers":[{{layers}}]}""", "test"), Digit, 10);
        Assert.Equal(2 * expected, network.Layout.Parameters.Count);
        Assert.Equal([10], network.Layout.Parameters[^1].Shape);
    }

    [Fact]
    public void ASummaryShowsLayersAndParameters() =>
        Assert.Equal(
            "1x8x8 -> dense 33, relu -> dense 20, relu -> dense 10 (3,035 parameters)",
            new Network(ModelSpec.Parse("mlp:33,20"), Digit, 10).Describe()
        );

    [Fact]
    public void AModelOfTooManyParametersNamesTheLayerAndItsSizes()
    {
        var spec = ModelSpec.Parse("mlp:1048576,1048576");
        var message = Assert.Throws<InputException>(() => new Network(spec, Digit, 10)).Message;
        Assert.Contains("layers.1.weight of shape [1048576, 1048576]", message);
        Assert.Contains("use smaller layers", message);
    }

    [Fact]
    public void ParametersThatOnlyTogetherAreTooManyAreRefused()
    {
        var spec = ModelSpec.Parse("mlp:24000,24000,24000");
        Assert.Contains("layers.2.weight", Assert.Throws<InputException>(() => new Network(spec, Digit, 10)).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(DenseSpec.MaximumUnits + 1)]
    public void AModelNeedsAPlausibleNumberOfOutputs(int outputs) =>
        Assert.Contains(
            $"{outputs} outputs",
            Assert.Throws<InputException>(() => new Network(ModelSpec.Parse("mlp"), Digit, outputs)).Message
        );

    [Theory]
    [InlineData("relu", 64, 0.306186218)] // sqrt(6/64)
    [InlineData("tanh", 64, 0.2)] // sqrt(6/(64+86))
    [InlineData("sigmoid", 64, 0.2)]
    public void HiddenWeightsFillTheRangeThatTheirFunctionAsksFor(string activation, int features, double bound)
    {
        Network network = new(
            ModelSpec.FromJson($$"""{"layers":[{{SmallProblem.Layers(activation, 86)}}]}""", "test"),
            new SampleShape(1, 1, features),
            10
        );
        AssertUniform(network, parameter: 0, bound);
        AssertUniform(network, parameter: 2, Math.Sqrt(3.0 / 86)); // the last layer
    }

    [Fact]
    public void BiasesStartAtZeroAndOverwriteWhatWasThere()
    {
        Network network = new(ModelSpec.Parse("mlp:33"), Digit, 10);
        var weights = new float[network.Layout.Length];
        Array.Fill(weights, float.NaN);
        network.InitializeWeights(1, weights);
        Assert.All(network.Layout.Parameters.Where(parameter => parameter.Shape.Count == 1), bias =>
            Assert.All(weights[bias.Offset..(bias.Offset + bias.Length)], value => Assert.Equal(0, value))
        );
        Assert.DoesNotContain(weights, float.IsNaN);
    }

    [Fact]
    public void InitialWeightsFollowTheSeed()
    {
        Assert.Equal(Initial(1), Initial(1));
        Assert.NotEqual(Initial(1), Initial(2));
    }

    [Fact]
    public void InitialWeightsOfALayerDoNotDependOnTheLayersAfterIt()
    {
        float[] small = Initial(1, "mlp:33"),
            large = Initial(1, "mlp:33,20");
        var shared = 33 * 64;
        Assert.Equal(small[..shared], large[..shared]);
    }

    [Fact]
    public void AVectorOfAnotherLengthIsRefused() =>
        Assert.Throws<ArgumentException>(() => new Network(ModelSpec.Parse("mlp"), Digit, 10).InitializeWeights(1, new float[3]));

    [Fact]
    public void ALayoutHasNoGaps() =>
        Assert.Throws<ArgumentException>(() => new ParameterLayout([new Parameter("a", 0, [2]), new Parameter("b", 3, [2])]));

    private static float[] Initial(ulong seed, string model = "mlp:33")
    {
        Network network = new(ModelSpec.Parse(model), Digit, 10);
        var weights = new float[network.Layout.Length];
        network.InitializeWeights(seed, weights);
        return weights;
    }

    /// <summary>No value is out of range, and mean and variance (bound^2/3) are those of a uniform draw.</summary>
    private static void AssertUniform(Network network, int parameter, double bound)
    {
        var all = new float[network.Layout.Length];
        network.InitializeWeights(5, all);
        var place = network.Layout.Parameters[parameter];
        double[] values = [.. all.AsSpan(place.Offset, place.Length).ToArray().Select(value => value / bound)];
        Assert.All(values, value => Assert.InRange(value, -1.0000001, 1.0000001));
        Assert.Equal(0, values.Average(), 0.05);
        Assert.Equal(1.0 / 3, values.Average(value => value * value), 0.03);
    }
}
