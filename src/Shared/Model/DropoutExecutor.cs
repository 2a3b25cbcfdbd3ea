using Distributed.Kernels;
using Distributed.Random;

namespace Distributed.Model;

/// <summary>
/// Runs a <see cref="DropoutLayer"/>. The draw of an element is a function of (seed, layer, step, position of the sample in the global
/// batch, element), so that it does not depend on which worker has the sample or with which others.
/// </summary>
internal sealed class DropoutExecutor(DropoutLayer layer, float rate, ExecutorOptions options) : LayerExecutor(layer)
{
    // Of the 56 bits of a stream: 2^44 steps, and the 2^12 layers above them are more than a model can have.
    private const int StepBits = 44;

    private readonly AlignedBuffer _factors = Reserve(options.MaximumRows, layer.OutputLength);

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        if (!pass.Training)
        {
            input.CopyTo(output);
            return;
        }

        var factors = _factors.Span[..output.Length];
        CounterRandom random = new(pass.Seed, RandomPurpose.Dropout, ((ulong)options.FirstRandomStream << StepBits) | (ulong)pass.Step);
        Dropout.Factors(random, (ulong)pass.FirstSample * (ulong)OutputLength, rate, factors, options.Team);
        Dropout.Apply(input, factors, output, options.Team);
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
        if (options.NeedsInputGradient)
            Dropout.Apply(outputGradient, _factors.Span[..outputGradient.Length], inputGradient, options.Team);
    }
}
