using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Protocol;
using Distributed.Training;
using Google.Protobuf;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>Reads what workers report.</summary>
internal static class Reports
{
    /// <summary>The work that is reported.</summary>
    /// <param name="report">The report.</param>
    public static PlannedWork WorkOf(StepReport report) =>
        new(
            report.Work switch
            {
                Work.Train => WorkKind.Train,
                Work.Compare => WorkKind.Compare,
                Work.EvaluateHoldout => WorkKind.EvaluateHoldout,
                _ => WorkKind.Evaluate,
            },
            unchecked((long)report.Step)
        );

    /// <summary>How many microbatches a worker computed.</summary>
    /// <param name="report">The report.</param>
    public static int Microbatches(StepReport report) => (int)Math.Min(report.Microbatches, int.MaxValue);

    /// <summary>How long it took for them.</summary>
    /// <param name="report">The report.</param>
    public static TimeSpan ComputeTime(StepReport report) => TimeOf(report.ComputeMicroseconds);

    /// <summary>How long it worked after that.</summary>
    /// <param name="report">The report.</param>
    public static TimeSpan ExchangeTime(StepReport report) => TimeOf(report.ExchangeMicroseconds);

    private static TimeSpan TimeOf(ulong microseconds) => TimeSpan.FromMicroseconds(Math.Min(microseconds, int.MaxValue));

    /// <summary>What a worker has found: the record of the whole step, or the hash of its state; empty if it cannot tell.</summary>
    /// <param name="report">The report.</param>
    /// <exception cref="InvalidDataException">It is of another length.</exception>
    public static ByteString FoundBy(StepReport report)
    {
        var (found, length) =
            report.Work == Work.Compare ? (report.StateHash, StateHash.ByteLength) : (report.Record, StepRecord.ByteLength);
        return found.Length == length || (found.IsEmpty && report.Work != Work.Compare)
            ? found
            : throw new InvalidDataException($"it reports {report.Work} in {found.Length} bytes instead of {length}");
    }
}
