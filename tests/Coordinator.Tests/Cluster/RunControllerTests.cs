using System.Collections.Concurrent;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class RunControllerTests
{
    private static readonly TimeSpan TooLong = ControlledRun.Silence + TimeSpan.FromTicks(1);

    [Fact]
    public async Task A_run_ends_when_every_member_has_confirmed_the_weights()
    {
        var run = new ControlledRun(workers: 2, steps: 30);
        _ = new FakeWorker(run, 1);
        _ = new FakeWorker(run, 2);

        var result = await run.EndAsync();
        Assert.Equal((30, 2, false), (result.Step, result.Workers, result.Interrupted));
        Assert.Equal([1, 2], Assert.Single(run.Views).Workers);
    }

    [Fact]
    public async Task Weights_that_differ_at_the_end_fail_the_run()
    {
        var run = new ControlledRun(workers: 2, steps: 3);
        _ = new FakeWorker(run, 1);
        _ = new FakeWorker(run, 2, weightsSha256: new string('e', 64));

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.Contains("the workers end with different weights", failure.Message, StringComparison.Ordinal);
        Assert.Contains("eeeeeeee", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Heartbeats_keep_a_slow_run_alive()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var worker = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        for (var i = 0; i < 20; i++)
        {
            await run.PassesAsync(TooLong / 2);
            worker.Beat(step: 1, Phase.ForwardBackward);
            await run.SettledAsync();
        }

        await StillHasItAsync(run, worker);
    }

    [Fact]
    public async Task A_newcomer_that_falls_silent_before_it_is_a_member_is_let_go_and_the_run_goes_on()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var member = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        var newcomer = new FakeWorker(run, 2, isLocal: false, answersProbes: false);
        await run.SettledAsync();
        await run.PassesAsync(ControlledRun.Silence);
        member.Beat(step: 1, Phase.ForwardBackward);
        await run.SettledAsync();
        await run.PassesAsync(TimeSpan.FromTicks(1));

        var left = await run.ReportedAsync<WorkerLost>();
        Assert.Equal(("worker 2 (host, process 102)", 1), (left.Worker, left.Workers));
        await newcomer.Dismissed;
        await StillHasItAsync(run, member);
    }

    // The loop may wait for a slow disk; the heartbeats that came meanwhile lie in the queue behind the tick.
    [Fact]
    public async Task A_loop_that_stalls_holds_nobody_for_silent()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var worker = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        var early = new Tick(run.Time.GetTimestamp());
        run.Time.Advance(TooLong);
        run.Happens(early);
        worker.Beat(step: 1, Phase.ForwardBackward);
        await run.SettledAsync();
        await StillHasItAsync(run, worker);
    }

    [Fact]
    public async Task A_coordinator_that_was_stopped_itself_holds_no_worker_for_silent()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var worker = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        await run.ResumesAfterAsync(TimeSpan.FromMinutes(10));
        worker.Beat(step: 1, Phase.ForwardBackward);
        await run.SettledAsync();

        Assert.False(worker.Dismissed.IsCompleted);
        await run.PassesAsync(TooLong);
        Assert.Contains("silent for 3 seconds", (await run.ReportedAsync<WorkerLost>()).Reason, StringComparison.Ordinal);
        run.Happens(new Interrupted());
        await run.EndAsync();
    }

    [Fact]
    public async Task A_newcomer_that_leaves_before_it_is_a_member_is_let_go()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        _ = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        var newcomer = new FakeWorker(run, 2, isLocal: false);
        newcomer.Say(message => message.Leave = new Leave());
        await newcomer.Dismissed;
    }

    [Fact]
    public async Task A_worker_that_leaves_still_counts_for_what_it_was_granted()
    {
        var run = new ControlledRun(workers: 2, steps: 40);
        var first = new FakeWorker(run, 1);
        var second = new FakeWorker(run, 2, reports: false);
        await run.ReportedAsync<RunStarted>();
        second.ReportsFromNextView = true;
        first.Say(message => message.Leave = new Leave());
        foreach (var step in Enumerable.Range(1, GrantPace.Least))
            second.SayCompleted(step);

        await first.Dismissed;
        run.Happens(new MemberGone(first.Session, "it closed the connection"));
        run.Happens(new LocalWorkerExited(1, 101, "the process ended with exit code 0"));
        var result = await run.EndAsync();
        Assert.Equal((40, 1), (result.Step, result.Workers));
        Assert.Equal(
            [
                [1, 2],
                [2],
            ],
            run.Views.Select(view => view.Workers)
        );
    }

    [Fact]
    public async Task The_only_worker_can_be_replaced_by_another()
    {
        var run = new ControlledRun(workers: 1, steps: 40);
        var first = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        var second = new FakeWorker(run, 2, isLocal: false);
        await Task.WhenAll(first.ProbedAsync(), second.ProbedAsync());
        first.ReportsFromNextView = true;
        first.Say(message => message.Leave = new Leave());
        foreach (var step in Enumerable.Range(1, GrantPace.Least))
            first.SayCompleted(step);

        var result = await run.EndAsync();
        Assert.Equal((40, 1), (result.Step, result.Workers));
        Assert.Equal(
            [
                [1],
                [1, 2],
                [2],
            ],
            run.Views.Select(view => view.Workers)
        );
    }

    [Fact]
    public async Task A_slow_worker_is_named_and_gets_less_of_every_batch_from_a_planned_view_on()
    {
        var run = new ControlledRun(workers: 2, steps: 1_000_000, batchSize: 256);
        FakeWorker[] workers = [new(run, 1), new(run, 2, with: worker => worker.MicrosecondsPerMicrobatch = 2000)];
        await run.ReportedAsync<StepCompleted>(completed => completed.Step == 20);
        await PassesAsync(run, RangeControl.Interval, workers);

        Assert.Equal(new Straggling("worker 2 (host, process 102)", 2), await run.ReportedAsync<Straggling>());
        var changed = await run.ReportedAsync<RangesChanged>();
        Assert.Equal(8, changed.Microbatches);
        Assert.Equal([new("worker 1", 6), new("worker 2", 2)], changed.Ranges);
        run.Happens(new Interrupted());
        await run.EndAsync();
        var view = run.Views.Last();
        Assert.Equal((2u, changed.Step), (view.Generation.Number, view.FirstStep));
        Assert.Equal([6, 2], view.Shares);
    }

    [Fact]
    public async Task Shares_that_are_chosen_while_members_do_not_reach_each_other_do_not_outlast_their_view()
    {
        var run = new ControlledRun(workers: 2, steps: 1_000_000, batchSize: 256);
        var slow = new FakeWorker(run, 2, with: worker => worker.MicrosecondsPerMicrobatch = 2000);
        FakeWorker[] workers = [new(run, 1), slow]; // and the run begins
        var granted = new ConcurrentQueue<(int Workers, int Samples, int Indices)>();
        workers[0].Granted = grants =>
        {
            foreach (var grant in grants.Grants_.Where(grant => grant.Work == Work.Train))
                granted.Enqueue((workers[0].View!.Members.Count, (int)grant.Samples, grant.Indices.Length / sizeof(int)));
        };
        await run.ReportedAsync<StepCompleted>(completed => completed.Step == 20);
        await PassesAsync(run, RangeControl.Interval - WireLimits.HeartbeatInterval, workers);
        workers[0].Say(message => message.Failure = new Failure { Peer = "worker 2", Reason = "no answer" });
        await run.SettledAsync();
        await PassesAsync(run, MembershipRules.ComplaintTime, workers);

        Assert.Equal("worker 2 (host, process 102)", (await run.ReportedAsync<WorkerLost>()).Worker);
        Assert.Equal(1, (await run.ReportedAsync<TrainingResumed>()).Workers);
        run.Happens(new Interrupted());
        await run.EndAsync();
        Assert.Empty(run.Told.OfType<RangesChanged>());
        Assert.Contains(granted, grant => grant.Workers == 1);
        Assert.All(granted.Where(grant => grant.Workers == 1), grant => Assert.Equal(grant.Samples, grant.Indices));
    }

    // An hour that begins or ends summer time, a clock that is set, a virtual machine that was moved.
    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task A_wall_clock_that_jumps_changes_nothing(int hours)
    {
        var run = new ControlledRun(workers: 2, steps: 40);
        FakeWorker[] workers = [ReportsLater(1), ReportsLater(2)];
        await run.ReportedAsync<RunStarted>();
        await run.SettledAsync(); // the time of training is taken from here on
        var told = run.Told.Count;
        for (var jumps = 0; jumps < 3; jumps++)
        {
            run.Time.SetBy(TimeSpan.FromHours(hours));
            await PassesAsync(run, ControlledRun.Silence - WireLimits.HeartbeatInterval, workers);
        }

        Assert.Equal(told, run.Told.Count);
        foreach (var worker in workers)
        {
            for (var step = 1; step <= GrantPace.Least; step++)
                worker.SayCompleted(step);
        }

        var result = await run.EndAsync();
        Assert.Equal((40, 2, 0), (result.Step, result.Workers, result.WorkersLost));
        Assert.Single(run.Views);
        var trained = (ControlledRun.Silence - WireLimits.HeartbeatInterval) * 3;
        Assert.Equal(trained.TotalSeconds, result.Seconds);

        // What is granted at first is reported below.
        FakeWorker ReportsLater(int number) =>
            new(run, number, reports: false, with: worker =>
                worker.Granted = grants => worker.Reports = grants.Grants_.All(grant => grant.Step > GrantPace.Least)
            );
    }

    [Fact]
    public async Task When_the_last_worker_leaves_the_run_stops_after_a_checkpoint()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var worker = new FakeWorker(run, 1);
        await run.ReportedAsync<StepCompleted>(completed => completed.Step == 3);
        worker.Say(message => message.Leave = new Leave());

        var result = await run.EndAsync();
        Assert.True(result.Interrupted);
        Assert.Equal(result.Step, (await run.ReportedAsync<CheckpointSaved>()).Step);
    }

    [Fact]
    public async Task An_interrupted_run_completes_what_was_granted_and_saves_it()
    {
        var run = new ControlledRun(workers: 2, steps: 1000);
        _ = new FakeWorker(run, 1);
        _ = new FakeWorker(run, 2);
        await run.ReportedAsync<StepCompleted>(completed => completed.Step == 3);
        run.Happens(new Interrupted());

        var result = await run.EndAsync();
        Assert.True(result.Interrupted);
        Assert.Equal(result.Step, (await run.ReportedAsync<CheckpointSaved>()).Step);
    }

    // Its last checkpoint was written, but not its summary: all that is left to do is the evaluation.
    [Fact]
    public async Task A_run_that_is_interrupted_before_its_last_evaluation_is_not_complete()
    {
        var run = new ControlledRun(workers: 1, steps: 5, start: 5);
        run.Happens(new Interrupted());
        await run.SettledAsync();
        await run.PassesAsync(TimeSpan.Zero);

        var result = await run.EndAsync();
        Assert.Equal((5, true, (double?)null), (result.Step, result.Interrupted, result.TestLoss));
    }

    private static async Task PassesAsync(ControlledRun run, TimeSpan time, IReadOnlyCollection<FakeWorker> workers)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += WireLimits.HeartbeatInterval)
        {
            await run.PassesAsync(WireLimits.HeartbeatInterval);
            foreach (var worker in workers)
                worker.Beat(step: 1, Phase.ForwardBackward);
            await run.SettledAsync();
        }
    }

    // It was not let go, and is lost only now that its session ends.
    private static async Task StillHasItAsync(ControlledRun run, FakeWorker worker)
    {
        Assert.False(worker.Dismissed.IsCompleted);
        run.Happens(new Interrupted());
        run.Happens(new LocalWorkerExited(1, 101, "the process was killed"));
        Assert.Equal("the process was killed", (await run.ReportedAsync<WorkerLost>()).Reason);
        await run.EndAsync();
    }
}
