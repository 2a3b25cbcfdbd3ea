using Distributed.Collectives;
using Distributed.Model;

namespace Distributed.Benchmarks.Simulation;

/// <summary>What the workers of a simulated run train.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="Layout">Its parameters.</param>
/// <param name="Microbatch">Seconds of forward and backward over a microbatch.</param>
/// <param name="LargestPass">The microbatches that one pass takes: a power of two.</param>
internal sealed record Workload(string Name, ParameterLayout Layout, double Microbatch, int LargestPass)
{
    /// <summary>Of a pass, the part in which gradients are completed: two of the three products of a layer.</summary>
    private const double BackwardShare = 2.0 / 3;

    /// <summary>Bytes of the gradient.</summary>
    public double Bytes => (double)Layout.Length * sizeof(float);

    /// <summary>
    /// Seconds after which each bucket is complete on a worker that nothing disturbs. Only the last pass over the last block completes
    /// gradients, from the last layer to the first, in proportion to their parameters.
    /// </summary>
    /// <param name="plan">The step's plan.</param>
    /// <param name="rank">The worker.</param>
    public double[] Completions(ReductionPlan plan, int rank)
    {
        var (start, end) = plan.RangeOf(rank);
        var whole = (end - start) * Microbatch;
        var backward = Math.Min(LargestPass, LastBlock(plan, rank)) * Microbatch * BackwardShare;
        long length = plan.Buckets[0].End;
        return [.. plan.Buckets.Select(bucket => whole - (backward * bucket.Start / length))];
    }

    private static int LastBlock(ReductionPlan plan, int rank)
    {
        var (first, count) = plan.PlacesOf(rank);
        return count == 0 ? 0 : plan.Nodes[first + count - 1].Count;
    }
}
