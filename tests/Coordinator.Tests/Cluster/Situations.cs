using System.Collections.Immutable;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>What is known of a run whose workers wait for something.</summary>
internal static class Situations
{
    public static readonly TimeSpan HangTime = TimeSpan.FromSeconds(60);

    private static readonly MembershipRules Rules = new(
        MinimumWorkers: 3,
        ExpectsOthers: true,
        CoordinatorHoldsState: false,
        JoinTime: TimeSpan.FromMinutes(10),
        WaitTime: TimeSpan.FromMinutes(10)
    );

    /// <summary>A run in which the workers have joined, but no view has begun.</summary>
    public static RunSituation Joining(int ready, params MemberActivity[] workers)
    {
        var state = MembershipState.Empty(1, saved: 2);
        foreach (var worker in Enumerable.Range(1, ready))
            (state, _) = MembershipReducer.Apply(state, new Arrived(worker), TimeSpan.Zero, Rules);
        return new RunSituation(state, Rules, ByNumber(workers), Oldest: null, Snapshot: null, "http://0.0.0.0:5000", HangTime);
    }

    /// <summary>A run whose workers all are members of an open view.</summary>
    public static RunSituation Running(params MemberActivity[] workers)
    {
        var unopened = Opening(workers);
        var state = unopened.Membership;
        foreach (var worker in state.View)
            (state, _) = MembershipReducer.Apply(state, new Opened(worker, state.Generation), TimeSpan.Zero, unopened.Rules);
        return unopened with { Membership = state };
    }

    /// <summary>A run whose workers all are members of a view that none has opened.</summary>
    public static RunSituation Opening(params MemberActivity[] workers)
    {
        var rules = Rules with { MinimumWorkers = workers.Length, ExpectsOthers = false };
        var state = MembershipState.Empty(1, saved: 2);
        foreach (var worker in Enumerable.Range(1, workers.Length))
            (state, _) = MembershipReducer.Apply(state, new Arrived(worker), TimeSpan.Zero, rules);
        return new RunSituation(state, rules, ByNumber(workers), Oldest: null, Snapshot: null, Listen: null, HangTime);
    }

    /// <summary>Something happens to the membership.</summary>
    public static RunSituation After(this RunSituation situation, MembershipEvent happened) =>
        situation with
        {
            Membership = MembershipReducer.Apply(situation.Membership, happened, TimeSpan.Zero, situation.Rules).State,
        };

    /// <summary>A step is not complete.</summary>
    public static RunSituation WithStep(this RunSituation situation, long step, params int[] waiting) =>
        situation with
        {
            Oldest = new OpenWork(new PlannedWork(WorkKind.Train, step), waiting),
        };

    /// <summary>A worker that works by itself.</summary>
    public static MemberActivity In(Phase phase, ulong progress = 0, long step = 20) =>
        new("", step, phase, progress, WaitsFor: "", TimeSpan.FromMilliseconds(300));

    /// <summary>A worker that waits for another one.</summary>
    public static MemberActivity WaitsFor(string peer, Phase phase = Phase.ReduceScatter, long step = 20) =>
        In(phase, step: step) with
        {
            WaitsFor = peer,
        };

    private static ImmutableSortedDictionary<int, MemberActivity> ByNumber(MemberActivity[] workers) =>
        workers
            .Select((worker, index) => worker with { Name = $"worker {index + 1}" })
            .ToImmutableSortedDictionary(worker => int.Parse(worker.Name["worker ".Length..]), worker => worker);
}
