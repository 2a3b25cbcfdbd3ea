using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Control.Failures;
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
