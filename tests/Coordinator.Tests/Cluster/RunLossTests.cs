using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Control.Failures;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>What is lost during a run is told with its cause, and the others go on where they are.</summary>
public sealed class RunLossTests
{
    [Fact]
    public async Task The_others_go_on_after_the_highest_step_that_one_of_them_has_completed()
    {
        var run = new ControlledRun(workers: 3, steps: 40);
        FakeWorker[] workers = [new(run, 1, reports: false), new(run, 2, reports: false), new(run, 3, reports: false)];
        await run.ReportedAsync<RunStarted>();
        foreach (var worker in workers)
            worker.SayCompleted(1);
        workers[1].SayCompleted(2); // its shares of the step are with the others
        workers[0].Position = Positions.After(1);
        foreach (var worker in workers)
            worker.ReportsFromNextView = true;
        run.Happens(new MemberGone(workers[2].Session, "the connection was closed"));
        run.Happens(new LocalWorkerExited(3, 103, "the process was killed"));

        var lost = await run.ReportedAsync<WorkerLost>();
        Assert.Equal(("worker 3 (host, process 103)", "the process was killed", 2), (lost.Worker, lost.Reason, lost.Workers));
        var result = await run.EndAsync();
        Assert.Equal((40, 2), (result.Step, result.Workers));
        var view = run.Views.Last();
        Assert.Equal((2u, 3), (view.Generation.Number, view.FirstStep));
        Assert.Equal([1, 2], view.Workers);
        Assert.True(workers[0].View!.FetchState, "it is a step behind");
        Assert.False(workers[1].View!.FetchState);
        Assert.Equal([workers[1].Session.Address], workers[0].View!.StateSources);
    }

    [Fact]
    public async Task A_dead_local_worker_is_replaced_and_its_successor_takes_part()
    {
        var run = new ControlledRun(workers: 2, steps: 1000);
        var first = new FakeWorker(run, 1, reports: false);
        var second = new FakeWorker(run, 2, reports: false);
        await run.ReportedAsync<RunStarted>();
        first.ReportsFromNextView = true;
        run.Happens(new MemberGone(second.Session, "the connection was closed"));
        run.Happens(new LocalWorkerExited(2, 102, "the process was killed"));

        Assert.Equal((2, TimeSpan.Zero), await run.ReplacedAsync());
        _ = new FakeWorker(run, 3, localNumber: 2);
        var result = await run.EndAsync();
        Assert.Equal((1000, 2), (result.Step, result.Workers));
        Assert.Equal(
            [
                [1, 2],
                [1],
                [1, 3],
            ],
            run.Views.Select(view => view.Workers)
        );
    }

    [Fact]
    public async Task A_worker_that_falls_silent_is_told_with_its_step_and_the_others_go_on()
    {
        var run = new ControlledRun(workers: 2, steps: 40);
        var first = new FakeWorker(run, 1, reports: false);
        var second = new FakeWorker(run, 2, reports: false);
        await run.ReportedAsync<RunStarted>();
        second.Beat(step: 1, Phase.AllGather);
        await run.SettledAsync();
        await run.PassesAsync(ControlledRun.Silence);
        first.Beat(step: 1, Phase.ReduceScatter);
        first.ReportsFromNextView = true;
        await run.SettledAsync();
        await run.PassesAsync(TimeSpan.FromTicks(1));

        Assert.Equal((2, TimeSpan.Zero), await run.ReplacedAsync());
        var lost = await run.ReportedAsync<WorkerLost>();
        Assert.Equal("worker 2 (host, process 102)", lost.Worker);
        Assert.Equal((40, 1), (await run.EndAsync()) is var result ? (result.Step, result.Workers) : default);
    }

    [Fact]
    public async Task When_all_are_lost_the_run_goes_back_to_the_newest_state_and_tells_no_step_twice()
    {
        var run = new ControlledRun(workers: 1, steps: 40, checkpointEvery: 3);
        var first = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        foreach (var step in Enumerable.Range(1, 5))
            first.SayCompleted(step);
        await run.ReportedAsync<StepCompleted>(completed => completed.Step == 5);
        run.Happens(new MemberGone(first.Session, "the connection was closed"));
        run.Happens(new LocalWorkerExited(1, 101, "the process was killed"));

        Assert.Equal(3, (await run.ReportedAsync<WentBack>()).Step);
        var second = new FakeWorker(run, 2, localNumber: 1);
        Assert.Equal(6, (await run.ReportedAsync<StepCompleted>()).Step);
        Assert.Equal((40, 1), (await run.EndAsync()) is var result ? (result.Step, result.Workers) : default);
        Assert.Equal((4, true), (run.Views.Last().FirstStep, second.View!.FetchState));
        Assert.Empty(second.View.StateSources);
    }

    [Fact]
    public async Task Members_that_do_not_reach_each_other_are_parted_and_the_newest_goes()
    {
        var run = new ControlledRun(workers: 2, steps: 40);
        var first = new FakeWorker(run, 1, reports: false);
        var second = new FakeWorker(run, 2, reports: false);
        await run.ReportedAsync<RunStarted>();
        first.Say(
            message =>
                message.Failure = new Failure
                {
                    Peer = "worker 2",
                    Phase = Phase.ReduceScatter,
                    Reason = "no answer",
                },
            step: 1
        );
        first.ReportsFromNextView = true;
        await run.SettledAsync();
        await run.PassesAsync(MembershipRules.ComplaintTime);

        await second.Dismissed;
        var lost = await run.ReportedAsync<WorkerLost>();
        Assert.Equal("worker 2 (host, process 102)", lost.Worker);
        Assert.Equal((40, 1), (await run.EndAsync()) is var result ? (result.Step, result.Workers) : default);
    }

    [Fact]
    public async Task A_state_that_was_lost_with_its_sender_is_asked_for_again()
    {
        var run = new ControlledRun(workers: 2, steps: 1000, checkpointEvery: 3);
        var first = new FakeWorker(run, 1, reports: false, with: worker => worker.SendsState = false);
        var second = new FakeWorker(run, 2, reports: false);
        await run.ReportedAsync<RunStarted>();
        foreach (var worker in new[] { first, second })
        {
            foreach (var step in Enumerable.Range(1, 4))
                worker.SayCompleted(step);
        }

        await run.ReportedAsync<StepCompleted>(completed => completed.Step == 4);
        second.ReportsFromNextView = true;
        run.Happens(new MemberGone(first.Session, "the connection was closed"));
        run.Happens(new LocalWorkerExited(1, 101, "the process was killed"));
        Assert.Equal(4, (await run.ReportedAsync<CheckpointSaved>()).Step);
        Assert.Equal(1000, (await run.EndAsync()).Step);
    }

    [Fact]
    public async Task A_step_that_kills_whoever_begins_it_ends_the_run_with_that_finding()
    {
        var run = new ControlledRun(workers: 1, steps: 1000);
        for (var i = 1; i <= MembershipRules.MostLossesOfAStep; i++)
        {
            var worker = new FakeWorker(run, i, reports: false, localNumber: 1);
            await worker.Entered;
            run.Happens(new MemberGone(worker.Session, "the connection was closed"));
            run.Happens(new LocalWorkerExited(1, 100 + i, "the process was killed (SIGKILL; out of memory?)"));
            await run.SettledAsync();
        }

        await run.PassesAsync(FailureEvidence.Gathering);
        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.StartsWith("worker 3 (host, process 103) failed at step", failure.Message, StringComparison.Ordinal);
        Assert.Contains("SIGKILL", failure.Message, StringComparison.Ordinal);
        Assert.Contains("step 1 has lost a worker 3 times in a row", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupted_run_that_loses_its_workers_ends_with_the_newest_state()
    {
        var run = new ControlledRun(workers: 1, steps: 1000, checkpointEvery: 3);
        var worker = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        foreach (var step in Enumerable.Range(1, 4))
            worker.SayCompleted(step);
        await run.ReportedAsync<StepCompleted>(completed => completed.Step == 4);
        run.Happens(new Interrupted());
        run.Happens(new MemberGone(worker.Session, "the connection was closed"));

        var result = await run.EndAsync();
        Assert.Equal((3, true), (result.Step, result.Interrupted));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_worker_that_is_lost_while_it_leaves_takes_nothing_with_it(bool closes)
    {
        var run = new ControlledRun(workers: 2, steps: 40);
        var first = new FakeWorker(run, 1, reports: false);
        var second = new FakeWorker(run, 2);
        await run.ReportedAsync<RunStarted>();
        first.Say(message => message.Leave = new Leave());
        first.SayCompleted(1);
        await run.ReportedAsync<StepCompleted>();
        if (closes)
        {
            run.Happens(new MemberGone(first.Session, "it closed the connection"));
        }
        else
        {
            await run.PassesAsync(ControlledRun.Silence);
            second.Beat(step: 2, Phase.ReduceScatter);
            await run.SettledAsync();
            await run.PassesAsync(TimeSpan.FromTicks(1));
        }

        Assert.Equal((40, 1), (await run.EndAsync()) is var result ? (result.Step, result.Workers) : default);
    }

    [Fact]
    public async Task A_worker_that_does_not_take_its_grants_is_lost()
    {
        var run = new ControlledRun(workers: 1, steps: 40);
        var session = new MemberSession(
            1,
            new Join
            {
                Host = "host",
                ProcessId = 101,
                LocalNumber = 1,
            },
            "http://127.0.0.1:5001"
        );
        for (var i = 0; i < MemberSession.QueueLength; i++)
            Assert.True(session.Send(new CoordinatorMessage()));
        run.Happens(new MemberJoined(session));
        run.Happens(new MessageReceived(session, new WorkerMessage { Run = ControlledRun.RunId, Ready = new Ready() }));

        var lost = await run.ReportedAsync<WorkerLost>();
        Assert.StartsWith("4096 messages wait", lost.Reason, StringComparison.Ordinal);
        Assert.Equal(1, (await run.ReplacedAsync()).Number);
        _ = new FakeWorker(run, 2, localNumber: 1);
        Assert.Equal(40, (await run.EndAsync()).Step);
    }

    [Fact]
    public async Task A_worker_that_cannot_go_on_is_lost_with_its_own_words()
    {
        var run = new ControlledRun(workers: 1, steps: 40);
        var worker = new FakeWorker(run, 1, reports: false);
        await run.ReportedAsync<RunStarted>();
        worker.Say(message => message.Failure = new Failure { Phase = Phase.AllGather, Reason = "out of memory" }, step: 6);

        var lost = await run.ReportedAsync<WorkerLost>();
        Assert.Equal(("worker 1 (host, process 101)", "out of memory", 6), (lost.Worker, lost.Reason, lost.Step));
        Assert.Equal(1, (await run.ReplacedAsync()).Number);
        _ = new FakeWorker(run, 2, localNumber: 1);
        Assert.Equal(40, (await run.EndAsync()).Step);
    }

    [Fact]
    public async Task A_worker_whose_weights_differ_is_named_and_what_was_done_since_the_last_state_is_done_again()
    {
        var run = new ControlledRun(workers: 3, steps: 9, checkpointEvery: 3);
        var deviates = true;
        FakeWorker[] workers =
        [
            new(run, 1),
            new(run, 2, with: worker => worker.StateHashAfter = step => FakeWorker.HashOf((byte)(deviates && step == 6 ? 1 : 0))),
            new(run, 3),
        ];
        var back = await run.ReportedAsync<RolledBack>();
        deviates = false;
        Assert.Equal(
            "after step 6 the state of worker 2 (host, process 102) differs from that of worker 1 (host, process 101), "
                + "worker 3 (host, process 103)",
            back.Reason
        );
        Assert.Equal(3, back.Step);
        Assert.Equal(4, (await run.ReportedAsync<StepCompleted>()).Step);
        await workers[1].Dismissed;
        Assert.True(workers[0].View!.FetchState, "what it holds may be wrong");
        Assert.Empty(workers[0].View!.StateSources);
        Assert.Equal(1u, workers[0].View!.Lineage);
        Assert.Equal((2, TimeSpan.Zero), await run.ReplacedAsync());
        var result = await run.EndAsync();
        Assert.Equal((9, 2, 9 * 64, 1), (result.Step, result.Workers, result.Samples, result.WorkersLost));
    }

    [Fact]
    public async Task A_state_that_changes_on_its_way_to_the_disk_is_asked_for_again()
    {
        var run = new ControlledRun(workers: 2, steps: 9, checkpointEvery: 3);
        var first = new FakeWorker(run, 1, with: worker => worker.SnapshotHash = FakeWorker.HashOf(1));
        _ = new FakeWorker(run, 2);
        var warning = await run.ReportedAsync<RunWarning>();
        first.SnapshotHash = FakeWorker.HashOf(0);
        Assert.StartsWith(
            "a state that was to be saved is not the one that the workers have agreed on",
            warning.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(9, (await run.EndAsync()).Step);
    }

    [Fact]
    public async Task Two_workers_that_differ_twice_end_the_run_which_names_both()
    {
        var run = new ControlledRun(workers: 2, steps: 9, checkpointEvery: 3);
        _ = new FakeWorker(run, 1);
        _ = new FakeWorker(run, 2, with: worker => worker.StateHashAfter = _ => FakeWorker.HashOf(1));
        var failure = await Assert.ThrowsAsync<RunFailedException>(run.EndAsync);
        Assert.Contains("worker 1 (host, process 101)", failure.Message, StringComparison.Ordinal);
        Assert.Contains("worker 2 (host, process 102)", failure.Message, StringComparison.Ordinal);
        Assert.Contains("memory or the processor", failure.Message, StringComparison.Ordinal);
    }
}
