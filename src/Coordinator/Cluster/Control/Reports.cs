using Distributed.Protocol;
using Distributed.Training;

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
    public static int Microbatches(StepReport report) => (int)Math.Min(report.Microbatches, int.MaxValue);

    /// <summary>How long it took for them.</summary>
    /// <param name="report">The report.</param>
    public static TimeSpan ComputeTime(StepReport report) => TimeSpan.FromMicroseconds(Math.Min(report.ComputeMicroseconds, int.MaxValue));

    /// <summary>The record of the whole step; null if the worker does not have it.</summary>
    /// <param name="report">The report.</param>
    /// <exception cref="InvalidDataException">It is of another length.</exception>
    public static StepRecord? RecordOf(StepReport report)
    {
        if (report.Record.IsEmpty)
            return null;
        return report.Record.Length == StepRecord.ByteLength
            ? StepRecord.Read(report.Record.Span)
            : throw new InvalidDataException($"it reports a record of {report.Record.Length} bytes instead of {StepRecord.ByteLength}");
    }
}
