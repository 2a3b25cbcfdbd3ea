using Distributed.Kernels;

namespace Distributed.Collectives;

/// <summary>The reduction where one member holds every block.</summary>
public static class LocalReduction
{
    /// <summary>Completes the tree in place.</summary>
    /// <param name="plan">The step's plan.</param>
    /// <param name="blocks">All blocks in the order of the plan; used as scratch.</param>
    /// <returns>The sum over all microbatches, in the first block's buffer.</returns>
    public static ReadOnlySpan<float> Complete(ReductionPlan plan, IReadOnlyList<AlignedBuffer> blocks)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(blocks);
        foreach (var (left, right) in plan.Merges)
            ReductionKernels.Add(blocks[left].Span, blocks[right].Span, blocks[left].Span);
        return blocks[0].Span;
    }
}
