using System.Globalization;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;

namespace Distributed.Coordinator.Observers;

/// <summary>
/// Tells when the state of a step takes long to be on disk. It has a clock of its own: whoever writes may be blocked by the system.
/// </summary>
internal sealed class CheckpointWatch : IRunObserver, IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly string _folder;
    private readonly IRunObserver _run;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private (long Step, long Since, WaitReminder Reminder)? _open; // under the lock

    /// <summary>Watches from now on.</summary>
    /// <param name="folder">Where checkpoints are written to.</param>
    /// <param name="run">Is told.</param>
    /// <param name="time">The clock.</param>
    public CheckpointWatch(string folder, IRunObserver run, TimeProvider time)
    {
        (_folder, _run, _time) = (folder, run, time);
        _timer = time.CreateTimer(_ => Check(), state: null, Interval, Interval);
    }

    /// <summary>How often it looks.</summary>
    public static TimeSpan Interval { get; } = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        lock (_lock)
        {
            if (runEvent is SnapshotTaken taken)
                _open = (taken.Checkpoint.Step, _time.GetTimestamp(), new WaitReminder());
            else if (runEvent is CheckpointSaved saved && saved.Step >= _open?.Step)
                _open = null;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void Check()
    {
        if (Due() is var (step, lasts)) // outside the lock: observers may be told something else at this moment
        {
            _run.Report(
                new Waiting(
                    string.Create(CultureInfo.InvariantCulture, $"the checkpoint of step {step}"),
                    lasts.TotalSeconds,
                    $"it is not on disk in {_folder} yet; usually a slow, full or hanging disk, or a network file system whose server is gone"
                )
            );
        }
    }

    private (long Step, TimeSpan Lasts)? Due()
    {
        lock (_lock)
        {
            return _open is var (step, since, reminder) && _time.GetElapsedTime(since) is var lasts && reminder.IsDue(lasts)
                ? (step, lasts)
                : null;
        }
    }
}
