using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Normalization;

/// <summary>
/// Layer normalisation (J. Ba, J. Kiros and G. Hinton, "Layer normalization", 2016) over whole samples:
/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias, with the mean and the biased variance of the sample's own n values, summed in
/// 16 lanes.
/// </summary>
internal static unsafe class LayerNormalization
{
    /// <summary>Numbers for each sample in the statistics: mean and 1 / sqrt(variance + epsilon).</summary>
    public const int Statistics = 2;

    /// <summary>Normalises each row.</summary>
    /// <param name="input">[rows, n].</param>
    /// <param name="weight">[n], at least one element.</param>
    /// <param name="bias">[n].</param>
    /// <param name="epsilon">Added to the variances, above 0.</param>
    /// <param name="statistics">[rows, 2]; overwritten, for <see cref="Backward"/>.</param>
    /// <param name="output">[rows, n]; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void Forward(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> weight,
        ReadOnlySpan<float> bias,
        float epsilon,
        Span<float> statistics,
        Span<float> output,
        ComputeTeam team
    )
    {
        Check(input.Length, weight.Length, statistics.Length, output.Length);
        if (bias.Length != weight.Length)
            throw new ArgumentException($"{bias.Length} biases, but {weight.Length} weights.", nameof(bias));
        fixed (
            float* x = input,
                w = weight,
                b = bias,
                s = statistics,
                y = output
        )
        {
            var forward = new LayerNormalizationForward(x, weight.Length, w, b, epsilon, s, y);
            VectorizedWork.Run(forward, statistics.Length / Statistics, input.Length, team);
        }
    }

    /// <summary>
    /// Takes the gradient back. With h = g weight, d = x - mean and r = 1 / sqrt(variance + epsilon):
    /// inputGradient = (h - sum(h)/n - d r^2 sum(h d)/n) r. The gradients of weight and bias are the sums of g d r and of g over the
    /// samples, chains inside a microbatch and the tree across microbatches.
    /// </summary>
    /// <param name="input">[rows, n], as it was in <see cref="Forward"/>.</param>
    /// <param name="weight">[n].</param>
    /// <param name="statistics">[rows, 2], from <see cref="Forward"/>.</param>
    /// <param name="microbatch">Rows of a microbatch, counted from row 0; the last may be short.</param>
    /// <param name="outputGradient">[rows, n]; used as scratch.</param>
    /// <param name="inputGradient">[rows, n], or empty where it is not wanted; overwritten.</param>
    /// <param name="parameterGradient">[2, n]: of weight and bias; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void Backward(
        ReadOnlySpan<float> input,
        ReadOnlySpan<float> weight,
        ReadOnlySpan<float> statistics,
        int microbatch,
        Span<float> outputGradient,
        Span<float> inputGradient,
        Span<float> parameterGradient,
        ComputeTeam team
    )
    {
        Check(input.Length, weight.Length, statistics.Length, outputGradient.Length);
        if ((!inputGradient.IsEmpty && inputGradient.Length != input.Length) || parameterGradient.Length != 2L * weight.Length)
        {
            throw new ArgumentException(
                $"{inputGradient.Length} input and {parameterGradient.Length} parameter gradients do not fit {input.Length} inputs."
            );
        }

        var (n, rows) = (weight.Length, statistics.Length / Statistics);
        ColumnSums.Compute(outputGradient, n, rows, microbatch, parameterGradient[n..], team);
        fixed (
            float* x = input,
                w = weight,
                s = statistics,
                g = outputGradient,
                dx = inputGradient
        )
        {
            var backward = new LayerNormalizationBackward(x, n, w, s, g, dx);
            VectorizedWork.Run(backward, rows, input.Length, team);
        }

        ColumnSums.Compute(outputGradient, n, rows, microbatch, parameterGradient[..n], team);
    }

    private static void Check(int inputs, int n, int statistics, int outputs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1, "weight");
        if (inputs % n != 0 || statistics != inputs / n * Statistics || outputs != inputs)
            throw new ArgumentException($"{inputs} inputs, {outputs} outputs and {statistics} statistics are not rows of {n}.");
    }
}
