using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class RunControllerTests
{
    private static readonly TimeSpan TooLong = WireLimits.HeartbeatTimeout + TimeSpan.FromTicks(1);

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
    public async Task A_worker_that_falls_silent_is_named_with_its_step_and_phase()
    {
        var run = new ControlledRun(workers: 2, steps: 1000);
        var first = new FakeWorker(run, 1);
        var second = new FakeWorker(run, 2, reports: false);
        await run.ReportedAsync<RunStarted>();
        second.Beat(step: 5, Phase.AllGather);
        await run.SettledAsync();
        await run.PassesAsync(WireLimits.HeartbeatTimeout);
        first.Beat(step: 6, Phase.ReduceScatter);
        await run.SettledAsync();
        await run.PassesAsync(TimeSpan.FromTicks(1));
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.StartsWith("worker 2 (host, process 102) failed at step 5 in all-gather: silent for 6 seconds", failure.Message, StringComparison.Ordinal);
        await first.Dismissed;
    }

    [Fact]
    public async Task Heartbeats_keep_a_slow_run_alive()
    {
        var run = new ControlledRun(workers: 1, steps: 3);
        var worker = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        for (var i = 0; i < 20; i++)
        {
            await run.PassesAsync(TooLong / 2);
            worker.Beat(step: 1, Phase.ForwardBackward);
            await run.SettledAsync();
        }

        run.Happens(new LocalWorkerExited(1, 101, "the process was killed"));
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);
        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.Equal("worker 1 (host, process 101) failed at step 1 in forward and backward: the process was killed", failure.Message);
    }

    // The session of a process that dies usually ends before the process is known to have ended.
    [Fact]
    public async Task A_dead_process_is_named_by_the_worker_that_it_was()
    {
        var run = new ControlledRun(workers: 2, steps: 1000);
        var first = new FakeWorker(run, 1, reports: false);
        var second = new FakeWorker(run, 2, reports: false);
        await run.ReportedAsync<RunStarted>();
        first.Say(message => message.Failure = new Failure { Peer = "worker 2", Phase = Phase.ReduceScatter, Reason = "lost" }, step: 1);
        run.Happens(new MemberGone(second.Session, "the connection was closed"));
        run.Happens(new LocalWorkerExited(2, 102, "the process was killed"));
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.Equal("worker 2 (host, process 102) failed at step 1 in reduce-scatter: the process was killed", failure.Message);
    }

    [Fact]
    public async Task A_worker_that_leaves_still_counts_for_what_it_was_granted()
    {
        var run = new ControlledRun(workers: 2, steps: 40);
        var first = new FakeWorker(run, 1);
        var second = new FakeWorker(run, 2, reports: false);
        await run.ReportedAsync<RunStarted>();
        first.Say(message => message.Leave = new Leave());
        second.Reports = true;
        foreach (var step in Enumerable.Range(1, GrantPace.Least))
            ReportLate(second, step);

        await first.Dismissed;
        run.Happens(new MemberGone(first.Session, "it closed the connection"));
        run.Happens(new LocalWorkerExited(1, 101, "the process ended with exit code 0"));
        var result = await run.EndAsync();
        Assert.Equal((40, 1), (result.Step, result.Workers));
        Assert.Equal([[1, 2], [2]], run.Views.Select(view => view.Workers));
    }

    [Fact]
    public async Task A_worker_that_is_lost_while_it_leaves_fails_the_run_if_it_owes_reports()
    {
        var run = new ControlledRun(workers: 2, steps: 40);
        var first = new FakeWorker(run, 1, reports: false);
        _ = new FakeWorker(run, 2);
        await run.ReportedAsync<RunStarted>();
        first.Say(message => message.Leave = new Leave());
        ReportLate(first, 1);
        await first.Dismissed;
        run.Happens(new MemberGone(first.Session, "it closed the connection"));
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.StartsWith("worker 1 (host, process 101) failed at step 1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slow_worker_is_named_and_gets_less_of_every_batch_from_a_planned_view_on()
    {
        var run = new ControlledRun(workers: 2, steps: 1_000_000, batchSize: 256);
        FakeWorker[] workers = [new(run, 1), new(run, 2) { MicrosecondsPerMicrobatch = 2000 }];
        await run.ReportedAsync<StepCompleted>(completed => completed.Step == 20);
        for (var passed = TimeSpan.Zero; passed < RangeControl.Interval; passed += WireLimits.HeartbeatInterval)
        {
            await run.PassesAsync(WireLimits.HeartbeatInterval);
            workers.ToList().ForEach(worker => worker.Beat(step: 1, Phase.ForwardBackward));
            await run.SettledAsync();
        }

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

    [Fact]
    public async Task A_diverged_training_is_told_with_its_remedy_and_by_whom()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var worker = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        worker.Say(message => message.Failure = new Failure { ByTraining = true, Reason = "the loss is NaN at step 1: lower --learning-rate" }, step: 1);
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.Equal("worker 1 (host, process 101): the loss is NaN at step 1: lower --learning-rate", failure.Message);
    }

    // A batch of 64 in microbatches of 32 gives each of two workers one block.
    private static void ReportLate(FakeWorker worker, long step)
    {
        var report = new StepReport { Step = (ulong)step };
        report.Blocks.Add(new BlockSums { Start = (uint)(worker.Session.Worker - 1), Count = 1, LossSum = 1, Samples = 1 });
        worker.Say(message => message.Reports = new StepReports { Reports = { report } }, step);
    }
}
