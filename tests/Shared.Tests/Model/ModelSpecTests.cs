using CsCheck;
using Distributed.Model;
using Distributed.Model.Layers;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public class ModelSpecTests
{
    private const string TwoHiddenLayers =
        """{"layers":[{"type":"dense","units":512},{"type":"relu"},{"type":"dense","units":512},{"type":"relu"}]}""";

    private static readonly Gen<LayerSpec> AnyPlainLayer = Gen.OneOf<LayerSpec>(
        Gen.Int[1, DenseSpec.MaximumUnits].Select(units => (LayerSpec)new DenseSpec(units)),
        Gen.Int[1, 3].Select(function => (LayerSpec)new ActivationSpec((Activation)function)),
        Gen.Float[0, DropoutSpec.MaximumRate].Select(rate => (LayerSpec)new DropoutSpec(rate)),
        Gen.Float[LeakyReluSpec.MinimumSlope, 1].Select(slope => (LayerSpec)new LeakyReluSpec(slope)),
        Gen.Select(Gen.Int[1, 9], Gen.Int[1, 9], Gen.Int[1, 3], Gen.Int[0, 4], Gen.Bool, (filters, kernel, stride, padding, bias) =>
            (LayerSpec)new Conv2dSpec(filters, new ConvExtent(kernel, filters), stride, new ConvExtent(padding, stride), bias)
        ),
        Gen.Select(Gen.Int[0, 1], Gen.Int[1, 9], Gen.Int[1, 9], Gen.Int[1, 3], (kind, height, width, stride) =>
            (LayerSpec)new PoolSpec((PoolKind)kind, new(height, width), new ConvExtent(stride, height), new(height - 1, width / 2))
        ),
        Gen.Select(Gen.Float[0, 1], Gen.Float[BatchNormSpec.MinimumEpsilon, 1], (momentum, epsilon) =>
            (LayerSpec)new BatchNormSpec(momentum, epsilon)
        ),
        Gen.Float[BatchNormSpec.MinimumEpsilon, 1].Select(epsilon => (LayerSpec)new LayerNormSpec(epsilon)),
        Gen.Const((LayerSpec)new GlobalAveragePoolSpec()),
        Gen.Const((LayerSpec)new FlattenSpec()),
        Gen.Const((LayerSpec)new GeluSpec()),
        Gen.Const((LayerSpec)new EmbeddingSpec()),
        Gen.Int[1, EmbeddingSpec.MaximumDimension].Select(dimension => (LayerSpec)new EmbeddingSpec(dimension)),
        Gen.Int[1, EmbeddingSpec.MaximumDimension].List[1, 4].Select(dimensions => (LayerSpec)new EmbeddingSpec(dimensions)),
        Gen.Select(Gen.Int[1, PiecewiseSpec.MaximumBins], Gen.Bool, (bins, ofRows) =>
            (LayerSpec)new PiecewiseSpec(bins, ofRows ? PiecewiseOver.Rows : PiecewiseOver.Values)
        ),
        Gen.Float[-1e30f, 1e30f]
            .HashSet[2, 9]
            .Array[1, 3]
            .Select(edges => (LayerSpec)new PiecewiseSpec(edges.Select(column => column.Order().ToArray())))
    );

    private static readonly Gen<LayerSpec> AnyLayer = Gen.OneOf(
        AnyPlainLayer,
        Gen.Select(AnyPlainLayer.List[1, 3], AnyPlainLayer.List[0, 2], (layers, shortcut) => (LayerSpec)new ResidualSpec(layers, shortcut))
    );

    [Fact]
    public void MlpHasTwoHiddenLayersOf512WithRelu() => Assert.Equal(TwoHiddenLayers, ModelSpec.Parse("mlp").ToJson());

    [Fact]
    public void MlpTakesTheSizesOfItsHiddenLayers() =>
        Assert.Equal("""{"layers":[{"type":"dense","units":33},{"type":"relu"}]}""", ModelSpec.Parse("mlp:33").ToJson());

    [Theory]
    [InlineData("mlp:0", "hidden layer 1", "'0'")]
    [InlineData("mlp:512,-3", "hidden layer 2", "'-3'")]
    [InlineData("mlp:512,wide", "hidden layer 2", "'wide'")]
    [InlineData("mlp:512,,64", "hidden layer 2", "''")]
    [InlineData("mlp:1.5", "hidden layer 1", "'1.5'")]
    [InlineData("mlp:1048577", "hidden layer 1", "'1048577'")]
    [InlineData("mlp:99999999999999999999", "hidden layer 1", "'99999999999999999999'")]
    public void BadSizesAreNamed(string option, string layer, string size)
    {
        var message = Assert.Throws<InputException>(() => ModelSpec.Parse(option)).Message;
        Assert.Contains(layer, message);
        Assert.Contains(size, message);
        Assert.Contains("use a whole number from 1 to 1048576", message);
    }

    [Fact]
    public void AnEmptyListOfSizesIsRefused() =>
        Assert.Contains("such as mlp:512,512", Assert.Throws<InputException>(() => ModelSpec.Parse("mlp:")).Message);

    [Fact]
    public void TooManyHiddenLayersAreRefused()
    {
        var option = "mlp:" + string.Join(',', Enumerable.Repeat(8, 513));
        Assert.Contains("513 hidden layers: use at most 512", Assert.Throws<InputException>(() => ModelSpec.Parse(option)).Message);
    }

    [Theory]
    [InlineData("CNN")]
    [InlineData("resnet")]
    [InlineData("MLP")]
    [InlineData("")]
    public void AnUnknownModelIsAnsweredWithThoseThatExist(string option)
    {
        var message = Assert.Throws<InputException>(() => ModelSpec.Parse(option)).Message;
        Assert.Contains($"'{option}'", message);
        Assert.Contains("mlp:H1,H2,.., cnn, resnet8", message);
        Assert.Contains("FILE.json", message);
    }

    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("""{"layers":[{"type":"\ud800"}]}""", "not JSON")] // half of a surrogate pair
    [InlineData("""{"layers":[{"type":"relu","\ud800":1}]}""", "not JSON")]
    [InlineData("""{"layers":[],"\ud800":1}""", "not JSON")]
    [InlineData("[]", "no array 'layers'")]
    [InlineData("{}", "no array 'layers'")]
    [InlineData("""{"layers":{}}""", "no array 'layers'")]
    [InlineData("""{"layers":[],"units":3}""", "'units' is not a property of a model")]
    [InlineData("""{"layers":[],"layers":[]}""", "not JSON")]
    [InlineData("""{"layers":[{"type":"relu"},7]}""", "layers[1]: 7 is not a layer")]
    [InlineData("""{"layers":[{"units":7}]}""", "layers[0]: 'type' is missing")]
    [InlineData("""{"layers":[{"type":3}]}""", "layers[0]: 'type' is 3: use a string")]
    [InlineData("""{"layers":[{"type":"conv"}]}""", "layers[0]: the type 'conv' is unknown: use one of dense, conv2d, ")]
    [InlineData("""{"layers":[{"type":"relu"},{"type":"dense"}]}""", "layers[1]: 'units' is missing: add a whole number from 1 to 1048576")]
    [InlineData("""{"layers":[{"type":"dense","units":"7"}]}""", "layers[0]: 'units' is \"7\": use a whole number")]
    [InlineData("""{"layers":[{"type":"dense","units":0}]}""", "layers[0]: 'units' is 0: use a whole number")]
    [InlineData("""{"layers":[{"type":"dense","units":-1}]}""", "layers[0]: 'units' is -1: use a whole number")]
    [InlineData("""{"layers":[{"type":"dense","units":1.5}]}""", "layers[0]: 'units' is 1.5: use a whole number")]
    [InlineData("""{"layers":[{"type":"dense","units":1e99}]}""", "layers[0]: 'units' is 1e99: use a whole number")]
    [InlineData("""{"layers":[{"type":"dense","units":null}]}""", "layers[0]: 'units' is null: use a whole number")]
    [InlineData("""{"layers":[{"type":"dense","units":7,"unit":8}]}""", "layers[0]: 'unit' is not a property of dense: it has type, units")]
    [InlineData("""{"layers":[{"type":"leakyrelu","slope":0}]}""", "layers[0]: 'slope' is 0: use a number from 0.0001 to 1")]
    [InlineData("""{"layers":[{"type":"dropout","rate":1}]}""", "layers[0]: 'rate' is 1: use a number from 0 to 0.99")]
    [InlineData("""{"layers":[{"type":"dropout","rate":-0.1}]}""", "layers[0]: 'rate' is -0.1: use a number from 0 to 0.99")]
    [InlineData("""{"layers":[{"type":"dropout","rate":"half"}]}""", "layers[0]: 'rate' is \"half\": use a number from 0 to 0.99")]
    [InlineData("""{"layers":[{"type":"relu","units":7}]}""", "layers[0]: 'units' is not a property of relu: it has type")]
    public void WhatAFileGetsWrongIsNamed(string json, string expected)
    {
        var message = Assert.Throws<InputException>(() => ModelSpec.FromJson(json, "net.json")).Message;
        Assert.StartsWith("net.json: ", message);
        Assert.Contains(expected, message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void TooManyLayersAreRefused()
    {
        var layers = string.Join(',', Enumerable.Repeat("""{"type":"relu"}""", 1025));
        Assert.Contains(
            "1025 layers",
            Assert.Throws<InputException>(() => ModelSpec.FromJson($$"""{"layers":[{{layers}}]}""", "net.json")).Message
        );
    }

    [Fact]
    public void AMissingFileIsNamed() =>
        Assert.Contains("'nowhere/net.json'", Assert.Throws<InputException>(() => ModelSpec.Parse("nowhere/net.json")).Message);

    [Fact]
    public void CanonicalJsonRoundTrips() =>
        AnyLayer
            .List[0, 8]
            .Sample(layers =>
            {
                var json = new ModelSpec(layers).ToJson();
                var back = ModelSpec.FromJson(json, "round trip");
                Assert.Equal(layers, back.Layers);
                Assert.Equal(json, back.ToJson());
            });
}
