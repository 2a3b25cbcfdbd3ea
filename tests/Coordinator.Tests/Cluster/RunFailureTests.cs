using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Distributed.Training;
using Google.Protobuf;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>What ends a run is told in one line that names the worker, and nothing is waited for without end.</summary>
public sealed class RunFailureTests
{
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
        Assert.StartsWith(
            "worker 2 (host, process 102) failed at step 5 in all-gather: silent for 6 seconds",
            failure.Message,
            StringComparison.Ordinal
        );
        await first.Dismissed;
    }

    [Fact]
    public async Task A_worker_that_does_not_take_its_grants_fails_the_run()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var session = new MemberSession(1, new Join { Host = "host", ProcessId = 101 }, "http://127.0.0.1:5001");
        for (var i = 0; i < MemberSession.QueueLength; i++)
            Assert.True(session.Send(new CoordinatorMessage()));
        run.Happens(new MemberJoined(session));
        run.Happens(new MessageReceived(session, new WorkerMessage { Run = ControlledRun.RunId, Ready = new Ready() }));
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.StartsWith(
            "worker 1 (host, process 101) failed at step 0 in waiting for work: 4096 messages wait",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    // The session of a process that dies usually ends before the process is known to have ended.
    [Fact]
    public async Task A_dead_process_is_named_by_the_worker_that_it_was()
    {
        var run = new ControlledRun(workers: 2, steps: 1000);
        var first = new FakeWorker(run, 1, reports: false);
        var second = new FakeWorker(run, 2, reports: false);
        await run.ReportedAsync<RunStarted>();
        first.Say(
            message =>
                message.Failure = new Failure
                {
                    Peer = "worker 2",
                    Phase = Phase.ReduceScatter,
                    Reason = "lost",
                },
            step: 1
        );
        run.Happens(new MemberGone(second.Session, "the connection was closed"));
        run.Happens(new LocalWorkerExited(2, 102, "the process was killed"));
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.Equal("worker 2 (host, process 102) failed at step 1 in reduce-scatter: the process was killed", failure.Message);
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
        first.SayCompleted(1);
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
        first.SayCompleted(1);
        await first.Dismissed;
        await run.PassesAsync(WireLimits.HeartbeatTimeout);
        second.Beat(step: 2, Phase.ReduceScatter);
        await run.SettledAsync();
        await run.PassesAsync(TimeSpan.FromTicks(1));
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.StartsWith(
            "worker 1 (host, process 101) failed at step 1 in waiting for work: silent for 6 seconds",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_diverged_training_is_told_with_its_remedy_and_by_whom()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var worker = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        worker.Say(
            message => message.Failure = new Failure { ByTraining = true, Reason = "the loss is NaN at step 1: lower --learning-rate" },
            step: 1
        );
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
        worker.Say(
            message =>
                message.Failure = new Failure
                {
                    Peer = peer,
                    Phase = Phase.AllGather,
                    Reason = "lost",
                },
            step: 6
        );
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.Equal($"{named} failed at step 6 in all-gather: lost", failure.Message);
    }

    public static TheoryData<long, byte[]> BadReports =>
        new()
        {
            { 999, [] }, // a step that was not granted
            { 1, [] }, // no sums, from the only member
            { 1, [1, 2, 3] }, // no record
            { 1, new byte[StepRecord.ByteLength] }, // of other samples
        };

    [Theory]
    [MemberData(nameof(BadReports))]
    public async Task A_worker_that_reports_nonsense_is_named(long step, byte[] record)
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        var worker = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        var report = new StepReport { Step = (ulong)step, Record = ByteString.CopyFrom(record) };
        worker.Say(message => message.Reports = new StepReports { Reports = { report } }, step);
        await run.SettledAsync();
        await run.PassesAsync(FailureEvidence.Gathering);

        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.StartsWith($"worker 1 (host, process 101) failed at step {step}", failure.Message, StringComparison.Ordinal);
    }
}
