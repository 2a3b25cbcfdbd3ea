using Distributed.Model;
using Distributed.Model.Layers;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public class PiecewiseLayerTests
{
    private static readonly InputColumns Columns = new(new SampleShape(1, 1, 3), [new CategoryColumn("colour", 5)]);

    [Theory]
    [InlineData("""{"type":"piecewise"}""", "'bins' is missing: add a whole number from 1 to 256")]
    [InlineData("""{"type":"piecewise","bins":0}""", "'bins' is 0: use a whole number from 1 to 256")]
    [InlineData("""{"type":"piecewise","bins":257}""", "'bins' is 257")]
    [InlineData("""{"type":"piecewise","bins":4,"over":"columns"}""", "'over' is \"columns\": use \"values\", \"rows\" or \"both\"")]
    [InlineData("""{"type":"piecewise","bins":4,"over":1}""", "'over' is 1: use \"values\", \"rows\" or \"both\"")]
    [InlineData("""{"type":"piecewise","bins":4,"edges":[[0,1]]}""", "it has 'edges' and 'bins'")]
    [InlineData("""{"type":"piecewise","over":"rows","edges":[[0,1]]}""", "it has 'edges' and 'over'")]
    [InlineData("""{"type":"piecewise","edges":[]}""", "'edges' is []: use a list of edges for each column of numbers")]
    [InlineData("""{"type":"piecewise","edges":[[0,1],7]}""", "'edges[1]' is 7: use 2 to 257 finite numbers, ascending")]
    [InlineData("""{"type":"piecewise","edges":[[0]]}""", "'edges[0]' is [0]: use 2 to 257 finite numbers")]
    [InlineData("""{"type":"piecewise","edges":[[0,1,1]]}""", "'edges[0]' is [0,1,1]: use 2 to 257 finite numbers, ascending")]
    [InlineData("""{"type":"piecewise","edges":[[1,0]]}""", "'edges[0]' is [1,0]")]
    [InlineData("""{"type":"piecewise","edges":[[0,1e99]]}""", "'edges[0]' is [0,1e99]")]
    [InlineData("""{"type":"piecewise","edges":[[0,"1"]]}""", "'edges[0]' is [0,\"1\"]")]
    public void BadPropertiesAreNamed(string layer, string expected) =>
        Assert.Contains("layers[0]: " + expected, Assert.Throws<InputException>(() => Read(layer)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"type":"piecewise","bins":4}""", "its edges have not been found: 'bins' is for a run")]
    [InlineData("""{"type":"piecewise","edges":[[0,1]]}""", "'edges' is for 1 numbers, but a sample has 2")]
    [InlineData("""{"type":"piecewise","edges":[[0,1],[0,1]]},{"type":"relu"}""", "column 'colour' holds categories")]
    public void AModelThatDoesNotFitTheColumnsIsRefused(string layers, string expected) =>
        Assert.Contains(
            expected,
            Assert.Throws<InputException>(() => new Network(Read(layers), Columns, 3)).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void DataWithoutNumbersHasNothingToEncode()
    {
        InputColumns columns = new(new SampleShape(1, 1, 1), [new CategoryColumn("colour", 5)]);
        var spec = Read("""{"type":"piecewise","bins":4},{"type":"embedding"}""").Fitted(columns, new ColumnSamples([2], [0]));
        Assert.Equal(["embedding"], spec.Layers.Select(layer => layer.Type));
        Assert.Contains(
            "layers[0] (piecewise): the data has no columns of numbers: leave the layer out",
            Assert.Throws<InputException>(() => new Network(Read("""{"type":"piecewise","edges":[[0,1]]}"""), columns, 3)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("""{"type":"dense","units":2},{"type":"piecewise","edges":[[0,1],[0,1]]}""")]
    [InlineData("""{"type":"residual","layers":[{"type":"piecewise","edges":[[0,1],[0,1]]}]}""")]
    [InlineData("""{"type":"residual","layers":[{"type":"tanh"}],"shortcut":[{"type":"piecewise","edges":[[0,1],[0,1]]}]}""")]
    public void BehindOtherLayersThereAreNoColumns(string layers) =>
        Assert.Contains(
            "(piecewise): it takes the columns of the data as they are: put it before all other layers",
            Assert.Throws<InputException>(() => new Network(Read(layers), new SampleShape(1, 1, 2), 3)).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void MoreEdgesThanAMessageHoldsAreRefused()
    {
        float[] edges = [.. Enumerable.Range(0, 257)];
        var spec = new PiecewiseSpec(Enumerable.Repeat(edges, 800));
        Assert.Contains(
            "the 800 columns of numbers have 205600 edges, more than 200000: use fewer bins",
            Assert.Throws<InputException>(() => spec.Resolve(InputColumns.Of(new SampleShape(1, 1, 800)))).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void WhatIsOutOfRangeIsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("bins", () => new PiecewiseSpec(0));
        Assert.Throws<ArgumentException>("edges", () => new PiecewiseSpec([]));
        Assert.Throws<ArgumentException>("edges", () => new PiecewiseSpec([
                [1, float.NaN],
            ]));
    }

    [Fact]
    public void ImagesAreEncodedPixelByPixel()
    {
        var spec = Read("""{"type":"piecewise","edges":[[0,1,2],[0,1],[0,1],[0,1],[0,1],[0,1]]}""");
        Network network = new(spec, new SampleShape(3, 1, 2), 3);
        Assert.Equal([3, 7], network.Layout.Parameters[0].Shape);
    }

    private static ModelSpec Read(string layers) => ModelSpec.FromJson($$"""{"layers":[{{layers}}]}""", "test");
}
