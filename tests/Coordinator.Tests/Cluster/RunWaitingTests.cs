using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>A run says what it waits for, finds who hangs, and lets nobody in whom the others do not reach.</summary>
public sealed class RunWaitingTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_worker_that_hangs_behind_its_heartbeats_is_told_of_then_lost_and_the_others_go_on()
    {
        var run = new ControlledRun(workers: 2, steps: 40);
        var first = new FakeWorker(run, 1, reports: false);
        var second = new FakeWorker(run, 2, reports: false);
        await run.ReportedAsync<RunStarted>();
        first.ReportsFromNextView = true;
        for (var passed = TimeSpan.Zero; passed <= TimeSpan.FromSeconds(new ClusterOptions().HangTimeout); passed += Second)
        {
            first.Beat(step: 1, Phase.ReduceScatter, progress: 7, waitsFor: "worker 2");
            second.Beat(step: 1, Phase.ForwardBackward, progress: 3);
            await run.SettledAsync();
            await run.PassesAsync(Second);
        }

        foreach (var seconds in new[] { 10, 20, 40 })
        {
            var waiting = await run.ReportedAsync<Waiting>();
            Assert.Equal(("step 1", seconds), (waiting.For, (int)waiting.Seconds));
            Assert.StartsWith("worker 2 is in forward and backward at step 1, ", waiting.Details, StringComparison.Ordinal);
            Assert.Contains("; worker 1 waits for worker 2 in reduce-scatter at step 1, ", waiting.Details, StringComparison.Ordinal);
        }

        var lost = await run.ReportedAsync<WorkerLost>();
        Assert.Equal(
            ("worker 2 (host, process 102)", "its computation has made no progress for 60 seconds in step 1, forward and backward", 1),
            (lost.Worker, lost.Reason, lost.Step)
        );
        Assert.Equal((2, TimeSpan.Zero), await run.ReplacedAsync());
        Assert.Equal((40, 1), (await run.EndAsync()) is var result ? (result.Step, result.Workers) : default);
    }

    [Fact]
    public async Task A_newcomer_that_a_member_does_not_reach_is_told_where_and_never_a_member()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var member = new FakeWorker(run, 1, reports: false, with: worker => worker.Reaches = _ => "connection refused");
        await run.ReportedAsync<RunStarted>();
        var newcomer = new FakeWorker(run, 2, isLocal: false);
        Assert.Equal(2, await member.ProbedAsync());
        await run.SettledAsync();
        await run.PassesAsync(MembershipRules.ComplaintTime);

        var left = await run.ReportedAsync<WorkerLeft>();
        Assert.Equal(("worker 2 (host, process 102)", 1), (left.Worker, left.Workers));
        Assert.StartsWith(
            "worker 1 (host, process 101) does not reach it at http://127.0.0.1:5002 (connection refused); give it --listen and --advertise",
            left.Reason,
            StringComparison.Ordinal
        );
        await newcomer.Dismissed;
        member.Reports = true;
        foreach (var step in Enumerable.Range(1, GrantPace.Least))
            member.SayCompleted(step);
        var result = await run.EndAsync();
        Assert.Equal((1000, 1, 0, 0), (result.Step, result.Workers, result.WorkersLost, result.WorkersJoined));
        Assert.All(run.Views, view => Assert.Equal([1], view.Workers));
    }

    [Fact]
    public async Task A_local_worker_that_is_turned_away_again_and_again_is_not_started_again_at_once()
    {
        var run = new ControlledRun(workers: 2, steps: 1000);
        var member = new FakeWorker(run, 1, reports: false, with: worker => worker.Reaches = _ => "connection refused");
        var second = new FakeWorker(run, 2, reports: false);
        await run.ReportedAsync<RunStarted>();
        run.Happens(new MemberGone(second.Session, "the connection was closed"));
        run.Happens(new LocalWorkerExited(2, 102, "the process was killed"));
        Assert.Equal((2, TimeSpan.Zero), await run.ReplacedAsync());
        foreach (var number in new[] { 3, 4 })
        {
            _ = new FakeWorker(run, number, localNumber: 2);
            Assert.Equal(number, await member.ProbedAsync());
            await run.SettledAsync();
            await run.PassesAsync(MembershipRules.ComplaintTime);
            var (replaced, delay) = await run.ReplacedAsync();
            Assert.Equal((2, number == 3 ? 0.5 : 1), (replaced, delay.TotalSeconds));
        }

        member.ReportsFromNextView = true;
        run.Happens(new Interrupted());
        member.Reports = true;
        foreach (var step in Enumerable.Range(1, GrantPace.Least))
            member.SayCompleted(step);
        Assert.True((await run.EndAsync()).Interrupted);
    }

    [Fact]
    public async Task Members_that_do_not_confirm_the_end_are_named()
    {
        var run = new ControlledRun(workers: 2, steps: 3);
        var second = new FakeWorker(run, 2, with: worker => worker.Confirms = false);
        var first = new FakeWorker(run, 1); // and the run begins
        await Task.WhenAll(first.Dismissed, second.Dismissed);
        await run.SettledAsync();
        await run.PassesAsync(TimeSpan.FromSeconds(10));

        var warning = await run.ReportedAsync<RunWarning>();
        Assert.StartsWith(
            "worker 2 (host, process 102) did not confirm the weights within 10 s",
            warning.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(3, (await run.EndAsync()).Step);
    }
}
