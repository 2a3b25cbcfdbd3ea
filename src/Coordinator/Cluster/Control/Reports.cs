using Distributed.Collectives;
using Distributed.Objectives;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>Reads what workers report.</summary>
internal static class Reports
{
    /// <summary>The work that is reported.</summary>
    /// <param name="report">The report.</param>
    public static PlannedWork WorkOf(StepReport report) =>
        new(report.Work == Work.Train ? WorkKind.Train : WorkKind.Evaluate, unchecked((long)report.Step));

    /// <summary>How many microbatches a worker computed.</summary>
    /// <param name="report">The report.</param>
    public static int Microbatches(StepReport report) => (int)Math.Min(report.Blocks.Sum(block => (long)block.Count), int.MaxValue);

    /// <summary>How long it took for them.</summary>
    /// <param name="report">The report.</param>
    public static TimeSpan ComputeTime(StepReport report) => TimeSpan.FromMicroseconds(Math.Min(report.ComputeMicroseconds, int.MaxValue));

    /// <summary>The sums of a worker's blocks.</summary>
    /// <param name="report">The report.</param>
    /// <exception cref="InvalidDataException">A number is out of range.</exception>
    public static IReadOnlyList<(TreeNode Block, BatchSums Sums)> Sums(StepReport report)
    {
        if (report.Blocks.Any(block => (block.Start | block.Count | block.Correct | block.Samples) > int.MaxValue))
            throw new InvalidDataException("it reports a block whose numbers are out of range");
        return
        [
            .. report.Blocks.Select(block =>
                (new TreeNode((int)block.Start, (int)block.Count), new BatchSums(block.LossSum, (int)block.Correct, (int)block.Samples))
            ),
        ];
    }
}
