using System.Globalization;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control.Failures;

/// <summary>
/// Finds workers whose computation hangs behind heartbeats that go on: they owe something, wait for nobody, and make no progress. Slow is
/// not dead, and one that only waits for others is never blamed.
/// </summary>
internal sealed class ProgressWatch
{
    private readonly Dictionary<int, (Sign Sign, TimeSpan Since)> _last = [];

    /// <summary>Takes what the workers were last heard to do.</summary>
    /// <param name="situation">Says so.</param>
    /// <param name="now">The time that this process has lived through.</param>
    public void Observe(RunSituation situation, TimeSpan now)
    {
        foreach (var gone in _last.Keys.Except(situation.Workers.Keys).ToList())
            _last.Remove(gone);
        var owing = situation.Owing;
        foreach (var (worker, activity) in situation.Workers)
        {
            var sign = new Sign(activity.Progress, activity.Step, activity.Phase);
            if (!owing.Contains(worker) || !_last.TryGetValue(worker, out var last) || last.Sign != sign)
                _last[worker] = (sign, now);
        }
    }

    /// <summary>How long a worker has made no progress with what it owes.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="now">The time.</param>
    public TimeSpan StillFor(int worker, TimeSpan now) => _last.TryGetValue(worker, out var last) ? now - last.Since : TimeSpan.Zero;

    /// <summary>The workers that hang, and how that shows.</summary>
    /// <param name="situation">What was observed last.</param>
    /// <param name="now">The time.</param>
    public IReadOnlyList<(int Worker, string Cause)> Hanging(RunSituation situation, TimeSpan now)
    {
        if (situation.HangTime is not { } bound)
            return [];
        var owing = situation.Owing;
        bool IsStill(int worker) => StillFor(worker, now) >= bound;
        var hanging = owing.Where(worker => IsStill(worker) && WorksAlone(situation.Workers[worker])).Order().ToList();
        if (hanging.Count > 0)
            return [.. hanging.Select(worker => (worker, Cause(situation.Workers[worker], bound)))];

        // A view whose members wait for each other opens no more; one of them has to go, and the newest has the least to lose.
        return situation is { Unopened: { Count: > 0 } unopened, Rules.CoordinatorHoldsState: false } && owing.All(IsStill)
            ? [(unopened.Max(), Unopened(situation.Membership, bound))]
            : [];
    }

    // Without anything to do, samples may still be on their way to it.
    private static bool WorksAlone(MemberActivity activity) =>
        activity is { WaitsFor: "", Phase: not Phase.Idle } or { WaitsFor: "", IsSentTo: false };

    private static string Cause(MemberActivity activity, TimeSpan bound)
    {
        var what = activity.Phase switch
        {
            Phase.Idle => "it has not begun what it was granted, and has",
            Phase.StateTransfer => "its state transfer has",
            Phase.Snapshot => "sending its state has",
            _ => "its computation has",
        };
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{what} made no progress for {bound.TotalSeconds:0.#} seconds in step {activity.Step}, {WireErrors.Name(activity.Phase)}"
        );
    }

    private static string Unopened(MembershipState membership, TimeSpan bound) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"view {membership.Generation} does not open: nobody has made progress for {bound.TotalSeconds:0.#} seconds, and it came last"
        );

    private readonly record struct Sign(ulong Progress, long Step, Phase Phase);
}
