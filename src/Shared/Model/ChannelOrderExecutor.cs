using Distributed.Kernels;

namespace Distributed.Model;

/// <summary>Runs a <see cref="ChannelOrderLayer"/>; the gradient goes the other way.</summary>
internal sealed class ChannelOrderExecutor(ChannelOrderLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    private readonly bool _toPlanar = layer.Order == ElementOrder.Planar;
    private readonly int _channels = layer.Input.Channels;
    private readonly int _pixels = layer.Input.Height * layer.Input.Width;

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) => Move(input, output, _toPlanar);

    /// <inheritdoc/>
    internal override void Backward(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> output,
        int rows,
        Span<float> outputGradient,
        Span<float> inputGradient,
        Span<float> parameterGradient,
        in Pass pass,
        IBackwardProgress? progress
    )
    {
        if (options.NeedsInputGradient)
            Move(outputGradient, inputGradient, !_toPlanar);
    }

    private void Move(ReadOnlySpan<float> source, Span<float> destination, bool toPlanar)
    {
        if (toPlanar)
            ChannelOrder.ToPlanar(source, _channels, _pixels, destination, options.Team);
        else
            ChannelOrder.ToChannelsLast(source, _channels, _pixels, destination, options.Team);
    }
}
