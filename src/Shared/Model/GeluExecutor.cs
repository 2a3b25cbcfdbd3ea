using Distributed.Kernels;

namespace Distributed.Model;

/// <summary>
/// Runs a <see cref="GeluLayer"/>. The function falls before it rises, so its gradient needs the input: two inputs can have one output.
/// </summary>
internal sealed class GeluExecutor(GeluLayer layer, ExecutorOptions options) : LayerExecutor(layer)
{
    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) =>
        Activations.Gelu(input, output, options.Team);

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
        if (!options.NeedsInputGradient)
            return;
        Activations.GeluGradient(input, outputGradient, options.Team);
        outputGradient.CopyTo(inputGradient);
    }
}
