using Distributed.Model;

namespace Distributed.Training;

/// <summary>
/// Moves the running statistics of a step, which the optimizer must not: running = (1 - momentum) * running + momentum * mean, with the
/// mean over the samples of the global batch of what the layer observed (S. Ioffe and C. Szegedy, "Batch normalization", 2015).
/// </summary>
internal static class RunningStatistics
{
    /// <summary>Whether any lie in a part of the flat vector.</summary>
    internal static bool AreIn(ParameterLayout layout, int offset, int length)
    {
        for (var i = 0; i < layout.RunningStatistics.Count; i++)
        {
            var statistic = layout.RunningStatistics[i];
            if (statistic.Offset < offset + length && offset < statistic.Offset + statistic.Length)
                return true;
        }

        return false;
    }

    /// <summary>Writes the statistics of the next state, and zeros in their places of its moments.</summary>
    /// <param name="layout">Which parameters they are.</param>
    /// <param name="samples">Samples of the global batch, at least 1.</param>
    /// <param name="offset">Where the piece of the gradient begins in the flat vector.</param>
    /// <param name="gradientSum">A piece of the gradient: in their places, the sums over the samples of what was observed.</param>
    /// <param name="current">The state before the step; only read.</param>
    /// <param name="next">The state after the step.</param>
    internal static void Update(
        ParameterLayout layout,
        int samples,
        int offset,
        ReadOnlySpan<float> gradientSum,
        TrainingState current,
        TrainingState next
    )
    {
        for (var i = 0; i < layout.RunningStatistics.Count; i++)
        {
            var statistic = layout.RunningStatistics[i];
            var start = Math.Max(offset, statistic.Offset);
            var length = Math.Min(offset + gradientSum.Length, statistic.Offset + statistic.Length) - start;
            if (length <= 0)
                continue;
            Move(
                statistic.RunningMomentum!.Value,
                samples,
                gradientSum.Slice(start - offset, length),
                current.Weights.Span.Slice(start, length),
                next.Weights.Span.Slice(start, length)
            );
            for (var moment = 0; moment < next.Moments.Count; moment++)
                next.Moments[moment].Span.Slice(start, length).Clear();
        }
    }

    private static void Move(float momentum, int samples, ReadOnlySpan<float> sums, ReadOnlySpan<float> before, Span<float> after)
    {
        for (var i = 0; i < after.Length; i++)
            after[i] = ((1 - momentum) * before[i]) + (momentum * (sums[i] / samples));
    }
}
