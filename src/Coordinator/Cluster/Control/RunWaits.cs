using System.Globalization;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>Something that a run waits for.</summary>
/// <param name="For">What, in a few words; the same as long as the wait is the same.</param>
/// <param name="Lasts">How long nothing has moved; null where that counts from when this wait is first seen.</param>
/// <param name="Details">Who waits for whom, what was last heard of them, and what usually causes it.</param>
internal sealed record OpenWait(string For, TimeSpan? Lasts, string Details);

/// <summary>Says what a run waits for: a pure function of what is known.</summary>
internal static class RunWaits
{
    private const int MostNamed = 3; // of those that work, and of those that wait

    /// <summary>What a run waits for at a moment. Most of it is over in a moment, too: only what lasts is worth telling.</summary>
    /// <param name="situation">What is known.</param>
    /// <param name="stillFor">How long a worker has made no progress.</param>
    public static IEnumerable<OpenWait> Of(RunSituation situation, Func<int, TimeSpan> stillFor)
    {
        if (MainWait(situation, stillFor) is { } main)
            yield return main;
        if (situation.Snapshot is { } snapshot && situation.Membership.Freezing is null)
            yield return Snapshot(situation, snapshot, stillFor);
        foreach (var leaving in situation.Membership.Participants.Values.Where(one => one.IsLeaving))
            yield return Leaver(situation, leaving);
    }

    private static OpenWait? MainWait(RunSituation situation, Func<int, TimeSpan> stillFor)
    {
        var membership = situation.Membership;
        if (membership.Freezing is { } freezing)
            return Freeze(situation, freezing, stillFor);
        if (membership.View.Count == 0)
            return membership.HasTrained ? Successors(situation) : FirstWorkers(situation);
        if (situation.Unopened is { Count: > 0 } unopened)
            return View(situation, unopened, stillFor);
        return situation.Oldest is { Waiting.Count: > 0 } oldest ? Step(situation, oldest, stillFor) : null;
    }

    private static OpenWait FirstWorkers(RunSituation situation)
    {
        var ready = situation.Membership.Participants.Values.Count(one => !one.IsLeaving);
        var preparing = situation.Workers.Where(worker => !situation.Membership.Participants.ContainsKey(worker.Key)).ToList();
        var parts = new List<string> { Format($"{ready} of {situation.Rules.MinimumWorkers} are ready") };
        if (preparing.Count > 0)
            parts.Add($"{Names(preparing.Select(worker => worker.Value.Name))} loading data and building the model");
        parts.Add(
            situation.Listen is { } listen
                ? $"start the others with --coordinator and the address of {listen} as they reach it"
                : "local workers are started by this process; a machine that is short of memory or processors takes long"
        );
        return new OpenWait("the first workers", Lasts: null, string.Join("; ", parts));
    }

    private static OpenWait Successors(RunSituation situation) =>
        new(
            "a worker",
            Lasts: null,
            Format(
                $"every worker was lost; {(situation.Listen is { } listen ? $"start one with --coordinator and the address of {listen} as it reaches it" : "local workers are started again")}; the run stops after {situation.Rules.WaitTime.TotalSeconds:0} s (--wait-for-workers)"
            )
        );

    private static OpenWait Freeze(RunSituation situation, Freezing freezing, Func<int, TimeSpan> stillFor)
    {
        var silent = situation.Membership.Engaged.Select(one => one.Worker).Where(worker => !freezing.Answers.ContainsKey(worker)).ToList();
        return new OpenWait(
            $"the end of view {situation.Membership.Generation}",
            Lasts: null,
            Format(
                $"{Activities(situation, silent, stillFor)}; usually a long computation of one layer, or one that hangs; given up after {MembershipRules.FreezeTime.TotalSeconds:0} s"
            )
        );
    }

    private static OpenWait View(RunSituation situation, IReadOnlyList<int> unopened, Func<int, TimeSpan> stillFor) =>
        new(
            $"view {situation.Membership.Generation} to open",
            situation.Owing.Select(stillFor).DefaultIfEmpty().Min(),
            $"{Activities(situation, unopened, stillFor)}; usually a firewall between workers, an --advertise that others cannot reach, or a large state over a slow line"
        );

    private static OpenWait Step(RunSituation situation, OpenWork oldest, Func<int, TimeSpan> stillFor)
    {
        var workers = oldest.Waiting.Where(situation.Workers.ContainsKey).Order().ToList();
        var usually = workers.TrueForAll(worker => situation.Workers[worker].WaitsFor.Length > 0)
            ? "usually a line between them that loses what is sent without breaking"
            : "usually a worker that swaps, shares its processors, or hangs";
        var bound = situation.HangTime is { } hang
            ? Format($"; one that hangs is given up after {hang.TotalSeconds:0} s (--hang-timeout)")
            : "";
        return new OpenWait(
            Format($"step {oldest.Work.Step}{(oldest.Work.IsEvaluation ? "'s evaluation" : "")}"),
            workers.Select(stillFor).DefaultIfEmpty().Min(),
            $"{Activities(situation, oldest.Waiting, stillFor)}; {usually}{bound}"
        );
    }

    private static OpenWait Snapshot(RunSituation situation, OpenSnapshot snapshot, Func<int, TimeSpan> stillFor) =>
        new(
            Format($"the state after step {snapshot.Step}"),
            Lasts: null,
            $"{Activities(situation, [snapshot.Worker], stillFor)}; usually a large state over a slow line; training goes on meanwhile"
        );

    private static OpenWait Leaver(RunSituation situation, Participant leaving) =>
        new(
            $"worker {leaving.Worker} to leave",
            Lasts: null,
            leaving.Standing == Standing.Draining
                ? $"what it was granted is not complete everywhere yet, or others still fetch the state from it; {Activity(situation, leaving.Worker)}"
                : $"it stays until what was granted is done, and for one more view where others take over from it; {Activity(situation, leaving.Worker)}"
        );

    // Those that work come first: the others wait for them.
    private static string Activities(RunSituation situation, IEnumerable<int> workers, Func<int, TimeSpan> stillFor)
    {
        bool Waits(int worker) => situation.Workers.TryGetValue(worker, out var activity) && activity.WaitsFor.Length > 0;
        var groups = workers.Order().ToLookup(Waits);
        return string.Join("; ", Group(situation, [.. groups[false]], stillFor).Concat(Group(situation, [.. groups[true]], stillFor)));
    }

    private static IEnumerable<string> Group(RunSituation situation, IReadOnlyList<int> workers, Func<int, TimeSpan> stillFor)
    {
        foreach (var worker in workers.Take(MostNamed))
            yield return $"{Activity(situation, worker)}{Still(stillFor(worker))}";
        if (workers.Count > MostNamed)
            yield return Format($"and {workers.Count - MostNamed} others likewise");
    }

    private static string Activity(RunSituation situation, int worker)
    {
        if (!situation.Workers.TryGetValue(worker, out var activity))
            return worker == MembershipState.Coordinator ? MemberRegistry.CoordinatorName : Format($"worker {worker}, which has gone");
        var what = activity.WaitsFor.Length > 0 ? $"waits for {activity.WaitsFor} in" : "is in";
        return Format(
            $"{activity.Name} {what} {WireErrors.Name(activity.Phase)} at step {activity.Step}, last heard {activity.Unheard.TotalSeconds:0.0} s ago"
        );
    }

    private static string Still(TimeSpan still) =>
        still >= WaitReminder.First ? Format($", without progress for {still.TotalSeconds:0} s") : "";

    private static string Names(IEnumerable<string> names)
    {
        var all = names.ToList();
        var more = all.Count > MostNamed ? Format($" and {all.Count - MostNamed} more") : "";
        return $"{string.Join(", ", all.Take(MostNamed))}{more} {(all.Count == 1 ? "is" : "are")}";
    }

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
