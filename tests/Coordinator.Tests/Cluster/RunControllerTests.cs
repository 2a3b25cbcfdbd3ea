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

    [Fact]
    public async Task A_newcomer_that_falls_silent_before_it_is_a_member_is_let_go_and_the_run_goes_on()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var member = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        var newcomer = new FakeWorker(run, 2, isLocal: false);
        await run.SettledAsync();
        await run.PassesAsync(WireLimits.HeartbeatTimeout);
        member.Beat(step: 1, Phase.ForwardBackward);
        await run.SettledAsync();
        await run.PassesAsync(TimeSpan.FromTicks(1));

        var left = await run.ReportedAsync<WorkerLeft>();
        Assert.Equal(("worker 2 (host, process 102)", 1), (left.Worker, left.Workers));
        await newcomer.Dismissed;
        await run.PassesAsync(FailureEvidence.Gathering);
        run.Happens(new LocalWorkerExited(1, 101, "the process was killed"));
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);
        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.StartsWith("worker 1 (host, process 101) failed", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_does_not_take_its_grants_fails_the_run()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var session = new MemberSession(1, new Join { Host = "host", ProcessId = 101 }, "http://127.0.0.1:5001", run.Time.GetTimestamp());
        for (var i = 0; i < MemberSession.QueueLength; i++)
            Assert.True(session.Send(new CoordinatorMessage()));
        run.Happens(new MemberJoined(session));
        run.Happens(new MemberSpoke(session, new WorkerMessage { Run = ControlledRun.RunId, Ready = new Ready() }));
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.StartsWith("worker 1 (host, process 101) failed at step 0 in waiting for work: 4096 messages wait", failure.Message, StringComparison.Ordinal);
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
        await run.PassesAsync(FailureEvidence.Gathering);

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
        foreach (var step in Enumerable.Range(1, WorkWindow.StepsAhead))
            ReportLate(second, step);

        await first.Dismissed;
        run.Happens(new MemberGone(first.Session, "it closed the connection"));
        run.Happens(new LocalWorkerExited(1, 101, "the process ended with exit code 0"));
        var result = await run.EndAsync();
        Assert.Equal((40, 1), (result.Step, result.Workers));
        Assert.Equal([[1, 2], [2]], run.Views.Select(view => view.Workers));
    }

    [Fact]
    public async Task The_only_worker_can_be_replaced_by_another()
    {
        var run = new ControlledRun(workers: 1, steps: 40);
        var first = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        _ = new FakeWorker(run, 2, isLocal: false);
        first.Say(message => message.Leave = new Leave());
        first.Reports = true;
        foreach (var step in Enumerable.Range(1, WorkWindow.StepsAhead))
            first.Say(message => message.Report = Sums(start: 0, count: 2), step);

        var result = await run.EndAsync();
        Assert.Equal((40, 1), (result.Step, result.Workers));
        Assert.Equal([[1], [1, 2], [2]], run.Views.Select(view => view.Workers));
    }

    [Fact]
    public async Task A_local_worker_that_leaves_before_the_first_step_is_not_waited_for_without_end()
    {
        var run = new ControlledRun(workers: 2, steps: 40);
        var first = new FakeWorker(run, 1);
        first.Say(message => message.Leave = new Leave());
        await first.Dismissed;
        run.Happens(new LocalWorkerExited(1, 101, "the process ended with exit code 0"));
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.EndsWith("the process ended with exit code 0", failure.Message, StringComparison.Ordinal);
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

    // Its machine may be switched off as soon as it has asked to leave; no socket is closed then.
    [Fact]
    public async Task A_worker_that_falls_silent_while_it_leaves_fails_the_run_if_it_owes_reports()
    {
        var run = new ControlledRun(workers: 2, steps: 40);
        var first = new FakeWorker(run, 1, reports: false);
        var second = new FakeWorker(run, 2);
        await run.ReportedAsync<RunStarted>();
        first.Say(message => message.Leave = new Leave());
        ReportLate(first, 1);
        await first.Dismissed;
        await run.PassesAsync(WireLimits.HeartbeatTimeout);
        second.Beat(step: 2, Phase.ReduceScatter);
        await run.SettledAsync();
        await run.PassesAsync(TimeSpan.FromTicks(1));
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.StartsWith("worker 1 (host, process 101) failed at step 1 in waiting for work: silent for 6 seconds", failure.Message, StringComparison.Ordinal);
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

    [Theory]
    [InlineData("", "worker 1 (host, process 101)")]
    [InlineData("worker 2", "worker 2")]
    public async Task A_failure_is_placed_by_the_message_that_tells_it(string peer, string named)
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var worker = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        worker.Beat(step: 7, Phase.ForwardBackward);
        worker.Say(message => message.Failure = new Failure { Peer = peer, Phase = Phase.Update, Reason = "lost" }, step: 6);
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.Equal($"{named} failed at step 6 in update: lost", failure.Message);
    }

    public static TheoryData<long, BlockSums[]> BadReports => new()
    {
        { 999, [new() { Start = 0, Count = 2 }] }, // a step that was not granted
        { 1, [] },
        { 1, [new() { Start = 1, Count = 2 }, new() { Start = 1, Count = 2 }] }, // no tree
        { 1, [new() { Start = uint.MaxValue, Count = 2 }] },
    };

    [Theory]
    [MemberData(nameof(BadReports))]
    public async Task A_worker_that_reports_nonsense_is_named(long step, BlockSums[] blocks)
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var worker = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        worker.Say(message => message.Report = new StepReport { Blocks = { blocks } }, step);
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.StartsWith($"worker 1 (host, process 101) failed at step {step}", failure.Message, StringComparison.Ordinal);
    }

    // A batch of 64 in microbatches of 32 gives each of two workers one block.
    private static void ReportLate(FakeWorker worker, long step) =>
        worker.Say(message => message.Report = Sums(start: worker.Session.Worker - 1, count: 1), step);

    private static StepReport Sums(int start, int count) =>
        new() { Blocks = { new BlockSums { Start = (uint)start, Count = (uint)count, LossSum = 1, Samples = 1 } } };
}
