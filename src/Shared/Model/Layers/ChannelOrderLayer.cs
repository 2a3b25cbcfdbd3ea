using Distributed.Graphs;
using Distributed.Kernels;

namespace Distributed.Model.Layers;

/// <summary>
/// Brings the elements of images into the order that the next layer takes. No model file names it: <see cref="LayerSequence"/> puts it
/// where it is needed.
/// </summary>
/// <param name="shape">Shape of one sample.</param>
/// <param name="order">The order to bring them into.</param>
internal sealed class ChannelOrderLayer(SampleShape shape, ElementOrder order) : Layer(shape, shape)
{
    /// <inheritdoc/>
    internal override ElementOrder Order => order;

    /// <inheritdoc/>
    internal override bool AllowsRowBlocks => true;

    /// <inheritdoc/>
    internal override bool BackwardReadsInput => false;

    /// <inheritdoc/>
    internal override string Description => order == ElementOrder.Planar ? "to planar" : "to channels-last";

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new ChannelOrderExecutor(this, options);

    /// <inheritdoc/>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters) => input;
}

/// <summary>Runs a <see cref="ChannelOrderLayer"/>; the gradient goes the other way.</summary>
internal sealed class ChannelOrderExecutor(ChannelOrderLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    private readonly bool _toPlanar = layer.Order == ElementOrder.Planar;
    private readonly int _channels = layer.Input.Channels;
    private readonly int _pixels = layer.Input.Height * layer.Input.Width;

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) => Move(input, output, _toPlanar);

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward) => Move(backward.OutputGradient, backward.InputGradient, !_toPlanar);

    private void Move(ReadOnlySpan<float> source, Span<float> destination, bool toPlanar)
    {
        if (toPlanar)
            ChannelOrder.ToPlanar(source, _channels, _pixels, destination, options.Team);
        else
            ChannelOrder.ToChannelsLast(source, _channels, _pixels, destination, options.Team);
    }
}
