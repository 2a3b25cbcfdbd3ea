using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>A run says what it waits for, and finds who hangs.</summary>
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
    public async Task Members_that_do_not_confirm_the_end_are_named()
    {
        var run = new ControlledRun(workers: 2, steps: 3);
        var second = new FakeWorker(run, 2) { Confirms = false };
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
