namespace Distributed.Model;

/// <summary>Runs a <see cref="FlattenLayer"/>: a copy, since each layer owns its output.</summary>
internal sealed class FlattenExecutor(FlattenLayer layer, ExecutorOptions options) : LayerExecutor(layer, options.MaximumRows)
{
    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, in Pass pass) => input.CopyTo(Output.Span);

    /// <inheritdoc/>
    internal override void Backward(
        ReadOnlySpan<float> input,
        int rows,
        Span<float> outputGradient,
        Span<float> inputGradient,
        Span<float> parameterGradient,
        in Pass pass,
        IBackwardProgress? progress)
    {
        if (options.NeedsInputGradient)
            outputGradient.CopyTo(inputGradient);
    }
}
