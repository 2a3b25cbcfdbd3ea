using Distributed.Kernels;

namespace Distributed.Collectives;

/// <summary>The reduction where one member holds every block.</summary>
public static class LocalReduction
{
    /// <summary>Completes the tree in place.</summary>
    /// <param name="plan">The step's plan.</param>
    /// <param name="memory">All blocks in the order of the plan; used as scratch.</param>
    /// <returns>[length]: the sum over all microbatches, in the first block's memory.</returns>
    public static ReadOnlySpan<float> Complete(ReductionPlan plan, PublishedMemory memory)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(memory);
        foreach (var (left, right) in plan.Merges)
            ReductionKernels.Add(memory.Block(left).Span, memory.Block(right).Span, memory.Block(left).Span);
        return memory.Block(0).Span;
    }
}
