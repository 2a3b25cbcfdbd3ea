using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Control.Failures;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;
using Xunit;
using static Distributed.Coordinator.Tests.Cluster.Situations;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>Who hangs behind heartbeats that go on, and who is only slow, or waits.</summary>
public sealed class ProgressWatchTests
{
    [Theory]
    [InlineData(nameof(Phase.ForwardBackward), "its computation has made no progress for 60 seconds in step 20, forward and backward")]
    [InlineData(nameof(Phase.ReduceScatter), "its computation has made no progress for 60 seconds in step 20, reduce-scatter")]
    [InlineData(nameof(Phase.Evaluation), "its computation has made no progress for 60 seconds in step 20, evaluation")]
    [InlineData(nameof(Phase.StateTransfer), "its state transfer has made no progress for 60 seconds in step 20, state transfer")]
    [InlineData(nameof(Phase.Snapshot), "sending its state has made no progress for 60 seconds in step 20, snapshot")]
    [InlineData(
        nameof(Phase.Idle),
        "it has not begun what it was granted, and has made no progress for 60 seconds in step 20, waiting for work"
    )]
    public void Who_owes_work_and_waits_for_nobody_hangs_after_the_bound(string phase, string cause)
    {
        var run = new Watched(Running(WaitsFor("worker 2"), In(Enum.Parse<Phase>(phase))).WithStep(20, 1, 2));
        Assert.Equal([], run.Later(HangTime - Watched.Moment));
        Assert.Equal([(2, cause)], run.Later(Watched.Moment));
    }

    [Fact]
    public void Slow_is_not_dead()
    {
        var run = new Watched(Running(WaitsFor("worker 2"), In(Phase.ForwardBackward)).WithStep(20, 1, 2));
        for (ulong layer = 1; layer <= 5; layer++)
        {
            Assert.Equal([], run.Later(HangTime - Watched.Moment));
            run.Becomes(Running(WaitsFor("worker 2"), In(Phase.ForwardBackward, progress: layer)).WithStep(20, 1, 2));
        }
    }

    [Fact]
    public void Those_who_wait_for_others_are_never_blamed()
    {
        var run = new Watched(Running(WaitsFor("worker 2"), WaitsFor("worker 1", Phase.AllGather)).WithStep(20, 1, 2));
        Assert.Equal([], run.Later(HangTime * 10));
    }

    [Fact]
    public void Who_owes_nothing_may_rest()
    {
        var run = new Watched(Running(In(Phase.Idle), In(Phase.Idle)));
        Assert.Equal([], run.Later(HangTime * 10));
        run.Becomes(Running(In(Phase.Idle), In(Phase.Idle)).WithStep(20, 1, 2)); // from now on it owes something
        Assert.Equal([], run.Later(HangTime - Watched.Moment));
    }

    [Fact]
    public void Who_is_still_sent_its_samples_has_not_to_have_begun()
    {
        var run = new Watched(Running(In(Phase.Idle) with { IsSentTo = true }).WithStep(20, 1));
        Assert.Equal([], run.Later(HangTime * 10));
    }

    [Fact]
    public void A_state_that_does_not_come_hangs_though_its_sender_has_no_other_work()
    {
        var run = new Watched(Running(In(Phase.Idle), In(Phase.Idle)) with { Snapshot = new OpenSnapshot(20, 1) });
        Assert.Equal([1], run.Later(HangTime).Select(hanging => hanging.Worker));
    }

    [Fact]
    public void Of_those_who_wait_for_each_other_to_open_a_view_the_newest_goes()
    {
        var run = new Watched(Opening(WaitsFor("the others", Phase.StateTransfer), WaitsFor("worker 1", Phase.StateTransfer)));
        Assert.Equal([], run.Later(HangTime - Watched.Moment));
        Assert.Equal([(2, "view 1.1 does not open: nobody has made progress for 60 seconds, and it came last")], run.Later(Watched.Moment));
    }

    // Steps that were granted before may take long.
    [Fact]
    public void A_view_that_does_not_open_while_a_member_computes_is_waited_for()
    {
        RunSituation Computing(ulong progress) =>
            Opening(WaitsFor("the others", Phase.StateTransfer), In(Phase.ForwardBackward, progress)).WithStep(20, 2);
        var run = new Watched(Computing(0));
        for (ulong layer = 1; layer <= 5; layer++)
        {
            Assert.Equal([], run.Later(HangTime - Watched.Moment));
            run.Becomes(Computing(layer));
        }
    }

    [Fact]
    public void A_freeze_has_its_own_bound()
    {
        var run = new Watched(
            Running(In(Phase.ForwardBackward), In(Phase.ForwardBackward))
                .WithStep(20, 1, 2)
                .After(new Lost(2, "it has died", IsDeath: true, Reached: 8))
        );
        Assert.Equal([], run.Later(HangTime * 10));
    }

    [Fact]
    public void Without_a_bound_nobody_hangs()
    {
        var run = new Watched(Running(In(Phase.ForwardBackward)).WithStep(20, 1) with { HangTime = null });
        Assert.Equal([], run.Later(HangTime * 100));
    }

    private sealed class Watched
    {
        public static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

        private readonly ProgressWatch _watch = new();
        private RunSituation _situation;
        private TimeSpan _now;

        public Watched(RunSituation situation)
        {
            _situation = situation;
            _watch.Observe(_situation, _now);
        }

        public void Becomes(RunSituation situation)
        {
            _situation = situation;
            _watch.Observe(_situation, _now);
        }

        public IReadOnlyList<(int Worker, string Cause)> Later(TimeSpan time)
        {
            _now += time;
            _watch.Observe(_situation, _now);
            return _watch.Hanging(_situation, _now);
        }
    }
}
