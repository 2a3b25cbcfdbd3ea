using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>What a worker says of a view that is over, or after it has been expelled, changes nothing and is not even told.</summary>
public sealed class StaleMessageTests
{
    private const int LastGranted = 1 + GrantPace.Least; // at first in view 1.2

    private static readonly ViewGeneration[] Past = [new(Epoch: 1, Number: 1), new(Epoch: 0, Number: 9), default];

    // Each of them would count if it were of the newest view: the report for the step that is granted again there, and so on.
    private static readonly Dictionary<string, Action<ControlledRun, WorkerMessage>> Messages = new()
    {
        ["opened"] = (_, message) => message.ViewOpened = new ViewOpened(),
        ["reports"] = (run, message) => message.Reports = new StepReports { Reports = { Report(run, step: 2) } },
        ["reports of what was recorded"] = (run, message) => message.Reports = new StepReports { Reports = { Report(run, step: 1) } },
        ["reports of nonsense"] = (run, message) => message.Reports = new StepReports { Reports = { new StepReport { Step = 999 } } },
        ["frozen"] = (_, message) => message.Frozen = new Frozen { HoldsState = true, Position = (ulong)Positions.After(30) },
        ["complaint"] = (_, message) => message.Failure = new Failure { Peer = "worker 2", Reason = "no answer" },
        ["complaint of the coordinator"] = (_, message) => message.Failure = new Failure { Peer = "the coordinator", Reason = "no answer" },
        ["probe"] = (_, message) => message.ProbeResult = new ProbeResult { Worker = 2, Cause = "connection refused" },
    };

    private static readonly Dictionary<string, Action<ControlledRun, WorkerMessage>> LastWords = new(Messages)
    {
        ["failure"] = (_, message) => message.Failure = new Failure { Reason = "out of memory" },
        ["diverged"] = (_, message) => message.Failure = new Failure { ByTraining = true, Reason = "the loss is NaN" },
        ["leave"] = (_, message) => message.Leave = new Leave(),
        ["ready"] = (_, message) => message.Ready = new Ready(),
        ["snapshot lost"] = (_, message) => message.SnapshotLost = new SnapshotLost { Reason = "the disk is full" },
    };

    public static TheoryData<string, int> OfPastViews =>
        [.. Messages.Keys.SelectMany(_ => Enumerable.Range(0, Past.Length), (kind, past) => (kind, past))];

    public static TheoryData<string> OfExpelled => [.. LastWords.Keys];

    [Theory]
    [MemberData(nameof(OfPastViews))]
    public async Task Of_a_view_that_is_over(string kind, int past)
    {
        var run = new ControlledRun(workers: 3, steps: 40);
        FakeWorker[] workers = [new(run, 1, reports: false), new(run, 2, reports: false), new(run, 3, reports: false)];
        await LosesAsync(run, workers);
        var told = run.Told.Count;
        workers[0]
            .Say(message =>
            {
                message.Generation = Past[past].ToMessage();
                Messages[kind](run, message);
            });
        await run.SettledAsync();
        workers[1].SayCompleted(2);
        await run.SettledAsync();
        await run.PassesAsync(MembershipRules.ComplaintTime);

        Assert.Equal(told, run.Told.Count);
        workers[0].SayCompleted(2);
        Assert.Equal(2, (await run.ReportedAsync<StepCompleted>()).Step);
        await GoesOnAsync(run, workers[..2]);
    }

    [Theory]
    [MemberData(nameof(OfExpelled))]
    public async Task Of_a_worker_that_was_expelled(string kind)
    {
        var run = new ControlledRun(workers: 3, steps: 40);
        FakeWorker[] workers = [new(run, 1, reports: false), new(run, 2, reports: false), new(run, 3, reports: false)];
        await LosesAsync(run, workers);
        var told = run.Told.Count;
        workers[2]
            .Say(message =>
            {
                message.Generation = run.Views.Last().Generation.ToMessage();
                LastWords[kind](run, message);
            });
        await run.SettledAsync();
        await run.PassesAsync(MembershipRules.ComplaintTime);

        Assert.Equal(told, run.Told.Count);
        foreach (var worker in workers[..2])
            worker.SayCompleted(2);
        await GoesOnAsync(run, workers[..2]);
    }

    // The third worker is expelled after step 1: from step 2 on, what was granted in view 1.1 is granted again in view 1.2.
    private static async Task LosesAsync(ControlledRun run, FakeWorker[] workers)
    {
        await run.ReportedAsync<RunStarted>();
        foreach (var worker in workers)
            worker.SayCompleted(1);
        await run.ReportedAsync<StepCompleted>();
        var granted = workers[..2].Select(GrantedAsync).ToList();
        workers[2].Say(message => message.Failure = new Failure { Reason = "out of memory" }, step: 2);
        await run.ReportedAsync<WorkerLost>();
        await Task.WhenAll(granted).WaitAsync(TimeSpan.FromSeconds(60));
        await run.SettledAsync();
        Assert.Equal(2, run.Views.Last().FirstStep);
    }

    // Ends when a worker holds all that is granted at once in view 1.2; what is granted later it reports.
    private static Task GrantedAsync(FakeWorker worker)
    {
        var granted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        worker.Granted = grants =>
        {
            if (worker.View!.Members.Count > 2)
                return;
            worker.Reports = grants.Grants_.All(grant => grant.Step > LastGranted);
            if (grants.Grants_.Any(grant => grant.Step == LastGranted))
                granted.TrySetResult();
        };
        return granted.Task;
    }

    private static async Task GoesOnAsync(ControlledRun run, FakeWorker[] workers)
    {
        foreach (var worker in workers)
        {
            for (var step = 3; step <= LastGranted; step++)
                worker.SayCompleted(step);
        }

        var result = await run.EndAsync();
        Assert.Equal((40, 2, 1), (result.Step, result.Workers, result.WorkersLost));
        Assert.Equal(2, run.Views.Count());
    }

    private static StepReport Report(ControlledRun run, long step) =>
        new() { Step = (ulong)step, Record = run.RecordOf(WorkKind.Train, step).ToBytes() };
}
