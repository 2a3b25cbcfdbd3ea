using Distributed.Graphs;
using Distributed.Model;
using Distributed.Model.Layers;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public class LayerSequenceTests
{
    private static readonly SampleShape Image = new(3, 4, 5);

    [Fact]
    public void ConversionsStandWhereTheOrderChanges() =>
        Assert.Equal(
            "any, to channels-last, last, any, last, to planar, planar, any",
            Arranged(ElementOrder.Planar, ElementOrder.Planar, Any(Image), Last(Image), Any(Image), Last(Image), Planar(Image), Any(Image))
        );

    [Fact]
    public void TheOutputIsLeftInTheOrderThatIsWanted() =>
        Assert.Equal("last, any, to planar", Arranged(ElementOrder.ChannelsLast, ElementOrder.Planar, Last(Image), Any(Image)));

    [Fact]
    public void NothingIsConvertedWhereAllOrdersAreTheSame()
    {
        SampleShape gray = new(1, 4, 5),
            pixel = new(3, 1, 1);
        Assert.Equal("last, planar, last", Arranged(ElementOrder.Planar, ElementOrder.Planar, Last(gray), Planar(gray), Last(gray)));
        Assert.Equal("last, planar", Arranged(ElementOrder.ChannelsLast, ElementOrder.ChannelsLast, Last(Image, pixel), Planar(pixel)));
    }

    [Fact]
    public void LayersThatTakeAnyOrderNeedNoConversion() =>
        Assert.Equal("any, any", Arranged(ElementOrder.Any, ElementOrder.Any, Any(Image), Any(Image)));

    [Fact]
    public void TheFirstPreferenceDecides()
    {
        Assert.Equal(ElementOrder.ChannelsLast, LayerSequence.PreferredOrder([Any(Image), Last(Image), Planar(Image)]));
        Assert.Equal(ElementOrder.Any, LayerSequence.PreferredOrder([Any(Image)]));
    }

    [Fact]
    public void BothBranchesOfABlockTakeAndLeaveTheSameOrder()
    {
        ResidualLayer block = new(Image, Image, [Last(Image), Planar(Image)], [Planar(Image)]);
        Assert.Equal(ElementOrder.ChannelsLast, block.Order);
        Assert.Equal("last, to planar, planar, to channels-last", Names(block.Layers));
        Assert.Equal("to planar, planar, to channels-last", Names(block.Shortcut));
    }

    private static string Arranged(ElementOrder input, ElementOrder output, params Layer[] layers) =>
        Names(LayerSequence.Arrange(layers, input, output));

    private static string Names(IEnumerable<Layer> layers) => string.Join(", ", layers.Select(layer => layer.Description));

    private static Named Any(SampleShape shape) => new("any", ElementOrder.Any, shape, shape);

    private static Named Planar(SampleShape shape) => new("planar", ElementOrder.Planar, shape, shape);

    private static Named Last(SampleShape shape, SampleShape? output = null) =>
        new("last", ElementOrder.ChannelsLast, shape, output ?? shape);

    private sealed class Named(string name, ElementOrder order, SampleShape input, SampleShape output) : Layer(input, output)
    {
        internal override ElementOrder Order => order;

        internal override string Description => name;

        internal override LayerExecutor CreateExecutor(ExecutorOptions options) => throw new NotSupportedException();

        internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters) =>
            throw new NotSupportedException();
    }
}
