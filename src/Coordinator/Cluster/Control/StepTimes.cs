using Distributed.Coordinator.Runs;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>
/// Tells what workers did in each step, on this coordinator's clock. How far a worker's clock differs is known from the message that was on its
/// way for the shortest time: the fewer the delay, the nearer (D. Mills, "Internet time synchronization", 1991); inside a host it is some microseconds.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="observer">Is told.</param>
internal sealed class StepTimes(TimeProvider time, IRunObserver observer)
{
    private readonly Dictionary<int, TimeSpan> _differences = []; // by worker: what its clock lacks, and the shortest delay of a message

    /// <summary>A worker has reported steps.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="name">Its name.</param>
    /// <param name="reports">What it says.</param>
    public void Received(int worker, string name, StepReports reports)
    {
        var difference = time.GetElapsedTime(0) - TimeOf(reports.ClockMicroseconds);
        if (!_differences.TryGetValue(worker, out var least) || difference < least)
            _differences[worker] = least = difference;
        foreach (var report in reports.Reports.Where(report => report.Spans.Count > 0))
        {
            var began = TimeOf(report.BeganMicroseconds) + least;
            observer.Report(new StepTimed(worker, name, report.Work == Work.Train, (long)report.Step, began, report.Spans));
        }
    }

    private static TimeSpan TimeOf(ulong microseconds) =>
        TimeSpan.FromMicroseconds(Math.Min(microseconds, (ulong)TimeSpan.MaxValue.TotalMicroseconds / 2));
}
