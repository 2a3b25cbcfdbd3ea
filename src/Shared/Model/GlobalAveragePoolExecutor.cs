using Distributed.Kernels.Pooling;

namespace Distributed.Model;

/// <summary>Runs a <see cref="GlobalAveragePoolLayer"/>: average pooling with one window, which is the image.</summary>
internal sealed class GlobalAveragePoolExecutor(GlobalAveragePoolLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    private readonly PoolingShape _shape = new(
        layer.Input.Height,
        layer.Input.Width,
        layer.Input.Channels,
        layer.Input.Height,
        layer.Input.Width,
        StrideHeight: 1,
        StrideWidth: 1
    );

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) =>
        AveragePooling.Forward(input, _shape, rows, output, options.Team);

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
            AveragePooling.Backward(outputGradient, _shape, rows, inputGradient, options.Team);
    }
}
