using System.Diagnostics;
using Distributed.Protocol;

namespace Distributed.Worker.Computing;

/// <summary>Puts the reports of several steps into one message, so that fast steps cost the coordinator little.</summary>
/// <param name="time">The clock.</param>
/// <param name="send">Sends a message's worth.</param>
internal sealed class ReportBatch(TimeProvider time, Action<StepReports> send)
{
    /// <summary>
    /// The longest that a report is held back while training continues: a message costs both sides a third of a millisecond of the cores
    /// that compute.
    /// </summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// The most reports that are held back, a small part of what may be granted ahead: fast steps must not use that up unreported.
    /// </summary>
    public const int Most = 64;

    /// <summary>
    /// With this few pieces of granted work left, this worker is about to wait for grants, and the coordinator needs its reports.
    /// </summary>
    public const int Low = 4;

    private StepReports _reports = new();
    private bool _isAwaited;
    private long _sent = time.GetTimestamp();

    /// <summary>Takes a report, and sends it with those before if it is time, or something waits for it.</summary>
    /// <param name="report">The report.</param>
    /// <param name="queued">Pieces of granted work that are left.</param>
    public void Add(StepReport report, int queued)
    {
        _reports.Reports.Add(report);
        if (
            _isAwaited
            || report.Work is Protocol.Work.Evaluate or Protocol.Work.EvaluateHoldout
            || queued <= Low
            || _reports.Reports.Count >= Most
            || time.GetElapsedTime(_sent) >= Interval
        )
        {
            Send();
        }
    }

    /// <summary>The next report is sent at once: a view begins, and how long training stood still should be known.</summary>
    public void SendNext() => _isAwaited = true;

    /// <summary>Drops what is held back.</summary>
    public void Clear() => _reports = new StepReports();

    /// <summary>Sends what is held back.</summary>
    public void Send()
    {
        if (_reports.Reports.Count == 0)
            return;
        _reports.ClockMicroseconds = LocalClock.Microseconds(Stopwatch.GetTimestamp());
        send(_reports);
        _reports = new StepReports();
        _isAwaited = false;
        _sent = time.GetTimestamp();
    }
}
