using System.Collections.Concurrent;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>A run that the held-out loss may end: what is granted before it has decided, and how the run ends then.</summary>
public sealed class EarlyStopTests
{
    private readonly ConcurrentQueue<(Work Work, ulong Step)> _granted = [];

    [Fact]
    public async Task No_step_beyond_an_evaluation_is_granted_before_its_decision()
    {
        var run = new ControlledRun(workers: 1, steps: 9, patience: 2, evalEvery: 2);
        var worker = Worker(run, one => one.Reports = false);
        await worker.Entered;
        await run.SettledAsync();
        await worker.TakenAsync();
        Assert.Equal(
            [(Work.Train, 1), (Work.Train, 2), (Work.Compare, 2), (Work.EvaluateHoldout, 2), (Work.Evaluate, 2)],
            _granted.Select(grant => (grant.Work, (int)grant.Step))
        );
        run.Happens(new LocalWorkerExited(1, 101, "it has died"));
        await run.ReplacedAsync();
        _ = new FakeWorker(run, 2, localNumber: 1);
        Assert.Equal(6, (await run.EndAsync()).Step);
    }

    [Fact]
    public async Task No_step_is_granted_before_the_state_has_arrived_that_may_be_the_model()
    {
        var run = new ControlledRun(workers: 1, steps: 9, patience: 2, evalEvery: 2);
        var worker = Worker(run, one => one.SendsState = false);
        await run.ReportedAsync<Evaluated>();
        await run.SettledAsync();
        await worker.TakenAsync();
        Assert.Equal(2, LastTrained);
        worker.SendsState = true;
        run.Happens(new SnapshotArrived(run.Start with { Step = 2 }, FakeWorker.HashOf(0)));
        Assert.Equal(6, (await run.EndAsync()).Step);
    }

    [Fact]
    public async Task A_run_whose_held_out_loss_does_not_fall_ends_with_the_state_of_the_best_evaluation()
    {
        var run = new ControlledRun(workers: 2, steps: 9, patience: 2, evalEvery: 2);
        Worker(run, one => { });
        Worker(run, one => { }, number: 2);
        var result = await run.EndAsync();
        Assert.Equal((6, 6, false), (result.Step, LastTrained, result.Interrupted));
        Assert.Equal("the held-out loss has not improved in 2 evaluations since step 2", result.StopReason);
        Assert.Equal([2, 4, 6], run.Told.OfType<Evaluated>().Select(evaluation => evaluation.Step));
        Assert.Equal([2, 4, 6], run.Told.OfType<SnapshotTaken>().Select(taken => taken.Checkpoint.Step));
    }

    [Fact]
    public async Task A_worker_that_dies_at_a_decision_changes_nothing_about_it()
    {
        var run = new ControlledRun(workers: 2, steps: 9, patience: 2, evalEvery: 2);
        var first = Worker(run, one => { });
        Worker(run, one => one.Reports = false, number: 2);
        await first.Entered;
        await run.SettledAsync();
        run.Happens(new LocalWorkerExited(2, 102, "it has died"));
        var result = await run.EndAsync();
        Assert.Equal((6, 6), (result.Step, LastTrained));
        Assert.Equal([2, 4, 6], run.Told.OfType<Evaluated>().Select(evaluation => evaluation.Step));
    }

    private int LastTrained => _granted.Where(grant => grant.Work == Work.Train).Max(grant => (int)grant.Step);

    private FakeWorker Worker(ControlledRun run, Action<FakeWorker> with, int number = 1) => new(run, number, with: one =>
        {
            one.Granted = grants =>
            {
                foreach (var grant in grants.Grants_)
                    _granted.Enqueue((grant.Work, grant.Step));
            };
            with(one);
        });
}
