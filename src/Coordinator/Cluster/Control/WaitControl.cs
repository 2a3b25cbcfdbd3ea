using Distributed.Coordinator.Cluster.Control.Failures;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>Tells what a run waits for when that lasts, and finds the workers that hang.</summary>
/// <param name="observer">Is told.</param>
internal sealed class WaitControl(IRunObserver observer)
{
    private readonly ProgressWatch _watch = new();
    private readonly Dictionary<string, (TimeSpan Since, WaitReminder Reminder)> _waits = [];

    /// <summary>Looks at a run from time to time.</summary>
    /// <param name="situation">What is known.</param>
    /// <param name="now">The time that this process has lived through.</param>
    /// <returns>The workers that hang, and how that shows.</returns>
    public IReadOnlyList<(int Worker, string Cause)> Check(RunSituation situation, TimeSpan now)
    {
        _watch.Observe(situation, now);
        var waits = RunWaits.Of(situation, worker => _watch.StillFor(worker, now)).ToList();
        foreach (var over in _waits.Keys.Except(waits.Select(wait => wait.For)).ToList())
            _waits.Remove(over);
        foreach (var wait in waits)
            Tell(wait, now);
        return _watch.Hanging(situation, now);
    }

    private void Tell(OpenWait wait, TimeSpan now)
    {
        if (!_waits.TryGetValue(wait.For, out var known))
            _waits.Add(wait.For, known = (now, new WaitReminder()));
        var lasts = wait.Lasts ?? now - known.Since;
        if (known.Reminder.IsDue(lasts))
            observer.Report(new Waiting(wait.For, lasts.TotalSeconds, wait.Details));
    }
}
