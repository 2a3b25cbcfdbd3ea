using Distributed.Kernels;

namespace Distributed.Model;

/// <summary>Runs a <see cref="LeakyReluLayer"/>; its gradient follows from its output.</summary>
internal sealed class LeakyReluExecutor(LeakyReluLayer layer, float slope, ExecutorOptions options) : LayerExecutor(layer)
{
    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass) =>
        Activations.LeakyRelu(input, slope, output, options.Team);

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
        Activations.LeakyReluGradient(output, slope, outputGradient, options.Team);
        outputGradient.CopyTo(inputGradient);
    }
}
