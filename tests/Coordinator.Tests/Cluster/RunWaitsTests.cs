using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;
using Xunit;
using static Distributed.Coordinator.Tests.Cluster.Situations;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>What a run says that it waits for: who for whom, where, what was last heard, and what usually causes it.</summary>
public sealed class RunWaitsTests
{
    public static TheoryData<string> Names => [.. Known.Keys];

    // What is known, and what is told of it when nothing has moved for 12 seconds.
    private static Dictionary<string, (RunSituation Situation, string[] Told)> Known { get; } =
        new()
        {
            ["nothing is waited for"] = (Running(In(Phase.Idle)), []),
            ["a step"] = (
                Running(WaitsFor("worker 2"), In(Phase.ForwardBackward), WaitsFor("worker 1", Phase.AllGather, step: 19))
                    .WithStep(20, 1, 2, 3),
                [
                    "step 20: worker 2 is in forward and backward at step 20, last heard 0.3 s ago, without progress for 12 s; "
                        + "worker 1 waits for worker 2 in reduce-scatter at step 20, last heard 0.3 s ago, without progress for 12 s; "
                        + "worker 3 waits for worker 1 in all-gather at step 19, last heard 0.3 s ago, without progress for 12 s; "
                        + "usually a worker that swaps, shares its processors, or hangs; one that hangs is given up after 60 s (--hang-timeout)",
                ]
            ),
            ["a step in which all wait"] = (
                Running(WaitsFor("worker 2"), WaitsFor("worker 1")).WithStep(20, 1, 2) with
                {
                    HangTime = null,
                },
                [
                    "step 20: worker 1 waits for worker 2 in reduce-scatter at step 20, last heard 0.3 s ago, without progress for 12 s; "
                        + "worker 2 waits for worker 1 in reduce-scatter at step 20, last heard 0.3 s ago, without progress for 12 s; "
                        + "usually a line between them that loses what is sent without breaking",
                ]
            ),
            ["a step of many"] = (
                Running([.. Enumerable.Repeat(In(Phase.ForwardBackward), 5)]).WithStep(20, 1, 2, 3, 4, 5) with
                {
                    HangTime = null,
                },
                [
                    "step 20: worker 1 is in forward and backward at step 20, last heard 0.3 s ago, without progress for 12 s; "
                        + "worker 2 is in forward and backward at step 20, last heard 0.3 s ago, without progress for 12 s; "
                        + "worker 3 is in forward and backward at step 20, last heard 0.3 s ago, without progress for 12 s; "
                        + "and 2 others likewise; usually a worker that swaps, shares its processors, or hangs",
                ]
            ),
            ["a view"] = (
                Opening(In(Phase.StateTransfer), WaitsFor("the others", Phase.StateTransfer)),
                [
                    "view 1.1 to open: worker 1 is in state transfer at step 20, last heard 0.3 s ago, without progress for 12 s; "
                        + "worker 2 waits for the others in state transfer at step 20, last heard 0.3 s ago, without progress for 12 s; "
                        + "usually a firewall between workers, an --advertise that others cannot reach, or a large state over a slow line",
                ]
            ),
            ["a freeze"] = (
                Running(In(Phase.Idle), In(Phase.ForwardBackward), In(Phase.Idle))
                    .After(new Lost(3, "it has died", IsDeath: true, Reached: 8))
                    .After(new Stopped(1, new ViewGeneration(1, 1), 8)),
                [
                    "the end of view 1.1: worker 2 is in forward and backward at step 20, last heard 0.3 s ago, without progress for 12 s; "
                        + "usually a long computation of one layer, or one that hangs; given up after 15 s",
                ]
            ),
            ["the first workers"] = (
                Joining(ready: 1, In(Phase.Idle), In(Phase.Idle)),
                [
                    "the first workers: 1 of 3 are ready; worker 2 is loading data and building the model; "
                        + "start the others with --coordinator and the address of http://0.0.0.0:5000 as they reach it",
                ]
            ),
            ["successors"] = (
                Running(In(Phase.Idle)).After(new Lost(1, "it has died", IsDeath: true, Reached: 8)) with
                {
                    Workers = new Dictionary<int, MemberActivity>(),
                },
                ["a worker: every worker was lost; local workers are started again; the run stops after 600 s (--wait-for-workers)"]
            ),
            ["a snapshot"] = (
                Running(In(Phase.Snapshot)) with
                {
                    Snapshot = new OpenSnapshot(20, 1),
                },
                [
                    "the state after step 20: worker 1 is in snapshot at step 20, last heard 0.3 s ago, without progress for 12 s; "
                        + "usually a large state over a slow line; training goes on meanwhile",
                ]
            ),
            ["a leaver"] = (
                Running(In(Phase.Idle), In(Phase.ForwardBackward)).After(new Leaving(2, IsUrgent: false)),
                [
                    "worker 2 to leave: it stays until what was granted is done, and for one more view where others take over from it; "
                        + "worker 2 is in forward and backward at step 20, last heard 0.3 s ago",
                ]
            ),
            ["a drained leaver"] = (
                Running(In(Phase.Idle), In(Phase.Idle))
                    .After(new Leaving(2, IsUrgent: false))
                    .After(new Boundary(21))
                    .After(new Opened(1, new ViewGeneration(1, 2))),
                [
                    "worker 2 to leave: what it was granted is not complete everywhere yet, or others still fetch the state from it; "
                        + "worker 2 is in waiting for work at step 20, last heard 0.3 s ago",
                ]
            ),
        };

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_told_who_waits_for_whom(string name)
    {
        var (situation, told) = Known[name];
        var waits = RunWaits.Of(situation, _ => TimeSpan.FromSeconds(12));
        Assert.Equal(told, waits.Select(wait => $"{wait.For}: {wait.Details}"));
    }

    // Those who wait stand still as long as others work.
    [Fact]
    public void A_step_in_which_anybody_makes_progress_is_not_waited_for()
    {
        var situation = Running(WaitsFor("worker 2"), In(Phase.ForwardBackward)).WithStep(20, 1, 2);
        var wait = Assert.Single(RunWaits.Of(situation, worker => TimeSpan.FromSeconds(worker == 1 ? 30 : 1)));
        Assert.Equal(TimeSpan.FromSeconds(1), wait.Lasts);
    }

    [Fact]
    public void A_wait_is_told_after_ten_seconds_and_then_each_time_that_it_has_lasted_twice_as_long()
    {
        var reminder = new WaitReminder();
        var told = Enumerable.Range(0, 1000).Where(tenths => reminder.IsDue(TimeSpan.FromSeconds(tenths / 10.0))).ToList();
        Assert.Equal([100, 200, 400, 800], told);
        Assert.False(reminder.IsDue(TimeSpan.Zero)); // another wait
        Assert.True(reminder.IsDue(WaitReminder.First));
        Assert.True(reminder.IsDue(WaitReminder.First * 9));
        Assert.False(reminder.IsDue(WaitReminder.First * 10));
    }
}
