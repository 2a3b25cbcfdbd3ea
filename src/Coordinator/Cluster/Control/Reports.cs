using Distributed.Collectives;
using Distributed.Model;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>Reads what workers report.</summary>
internal static class Reports
{
    /// <summary>The work that a message reports.</summary>
    /// <param name="message">The message, with a report.</param>
    public static PlannedWork WorkOf(WorkerMessage message) =>
        new(message.Report.Work == Work.Train ? WorkKind.Train : WorkKind.Evaluate, unchecked((long)message.Step));

    /// <summary>The sums of a worker's blocks.</summary>
    /// <param name="report">The report.</param>
    /// <exception cref="InvalidDataException">A number is out of range.</exception>
    public static IReadOnlyList<(TreeBlock Block, BatchSums Sums)> Sums(StepReport report)
    {
        if (report.Blocks.Any(block => (block.Start | block.Count | block.Correct | block.Samples) > int.MaxValue))
            throw new InvalidDataException("it reports a block whose numbers are out of range");
        return
        [
            .. report.Blocks.Select(block => (
                new TreeBlock((int)block.Start, (int)block.Count),
                new BatchSums(block.LossSum, (int)block.Correct, (int)block.Samples))),
        ];
    }
}
