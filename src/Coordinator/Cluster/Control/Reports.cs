using Distributed.Collectives;
using Distributed.Model;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>Reads what workers report.</summary>
internal static class Reports
{
    /// <summary>How many microbatches a worker computed.</summary>
    /// <param name="report">The report.</param>
    public static int Microbatches(StepReport report) => checked((int)report.Blocks.Sum(block => block.Count));

    /// <summary>How long it took for them.</summary>
    /// <param name="report">The report.</param>
    public static TimeSpan ComputeTime(StepReport report) => TimeSpan.FromMicroseconds(Math.Min(report.ComputeMicroseconds, int.MaxValue));

    /// <summary>The sums of a worker's blocks.</summary>
    /// <param name="report">The report.</param>
    public static IEnumerable<(TreeBlock Block, BatchSums Sums)> Sums(StepReport report) => report.Blocks.Select(block => (
        new TreeBlock(checked((int)block.Start), checked((int)block.Count)),
        new BatchSums(block.LossSum, checked((int)block.Correct), checked((int)block.Samples))));
}
