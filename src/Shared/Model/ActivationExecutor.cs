using Distributed.Kernels;

namespace Distributed.Model;

/// <summary>
/// Runs an <see cref="ActivationLayer"/> on a copy of its input, which the layer before still needs for its own gradient.
/// </summary>
internal sealed class ActivationExecutor(ActivationLayer layer, Activation activation, ExecutorOptions options) : LayerExecutor(layer)
{
    private readonly AlignedBuffer _noBias = new(layer.OutputLength);

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        input.CopyTo(output);
        ActivationFunctions.ApplyWithBias(activation, output, _noBias.Span, options.Team);
    }

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
        ActivationFunctions.ApplyGradient(activation, output, outputGradient, options.Team);
        outputGradient.CopyTo(inputGradient);
    }
}
