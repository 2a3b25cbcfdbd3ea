using Distributed.Kernels.Pooling;

namespace Distributed.Model;

/// <summary>Runs a <see cref="PoolLayer"/> of means.</summary>
internal sealed class AveragePoolExecutor(PoolLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) =>
        AveragePooling.Forward(input, layer.Shape, rows, output, options.Team);

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
            AveragePooling.Backward(outputGradient, layer.Shape, rows, inputGradient, options.Team);
    }
}
