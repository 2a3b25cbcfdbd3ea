namespace Distributed.Model;

/// <summary>Runs a <see cref="FlattenLayer"/>: a copy, since each layer owns its output.</summary>
internal sealed class FlattenExecutor(FlattenLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) => input.CopyTo(output);

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
            outputGradient.CopyTo(inputGradient);
    }
}
