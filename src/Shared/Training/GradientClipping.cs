using Distributed.Kernels;

namespace Distributed.Training;

/// <summary>Clipping by the global norm, as torch.nn.utils.clip_grad_norm_.</summary>
internal static class GradientClipping
{
    private const double NormFloor = 1e-6;

    /// <summary>
    /// The factor that keeps the norm of the mean gradient at most at the limit: min(1, limit / (norm + 1e-6)). A gradient with
    /// NaN gives NaN rather than hiding it.
    /// </summary>
    /// <param name="gradientSum">Flat vector: the sum of the samples' gradients.</param>
    /// <param name="ranges">The ranges of it whose norm counts; their sums of squares are added in their order.</param>
    /// <param name="samples">Samples summed over, at least 1.</param>
    /// <param name="clipNorm">The limit; null for none, which gives 1.</param>
    public static float Scale(ReadOnlySpan<float> gradientSum, IReadOnlyList<Range> ranges, int samples, double? clipNorm)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        if (clipNorm is not { } limit)
            return 1;
        double sumOfSquares = 0;
        for (var i = 0; i < ranges.Count; i++)
            sumOfSquares += ReductionKernels.SumOfSquares(gradientSum[ranges[i]]);
        var norm = Math.Sqrt(sumOfSquares) / samples;
        return (float)Math.Min(1, limit / (norm + NormFloor));
    }
}
