using Distributed.Protocol;

namespace Distributed.Worker.Sessions;

/// <summary>Notices when a worker has nothing to do but to wait for its coordinator, and says so if that lasts.</summary>
/// <param name="coordinator">Where the coordinator is.</param>
internal sealed class CoordinatorWait(string coordinator)
{
    private readonly WaitReminder _reminder = new();
    private TimeSpan _waited;
    private long _progress;

    /// <summary>A heartbeat is due. Counted in heartbeats, a wait does not grow while this process is stopped.</summary>
    /// <param name="isIdle">Whether the worker has nothing to do.</param>
    /// <param name="progress">Rises with everything that it does or is told.</param>
    /// <param name="hasView">Whether it has been in a view.</param>
    /// <returns>What to tell, or null.</returns>
    public string? Beat(bool isIdle, long progress, bool hasView)
    {
        _waited = isIdle && progress == _progress ? _waited + WireLimits.HeartbeatInterval : TimeSpan.Zero;
        _progress = progress;
        if (!_reminder.IsDue(_waited))
            return null;
        var why = hasView
            ? "it has nothing to do until others are done, or the coordinator is overloaded or hangs"
            : "it is connected, and the run has not begun with it: other workers have still to join, or the members finish what they were granted";
        return $"waiting for the coordinator at {coordinator} for {_waited.TotalSeconds:0} s: {why}";
    }
}
