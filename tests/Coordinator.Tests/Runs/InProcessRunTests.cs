using Distributed.Checkpoints;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Runs;

public sealed class InProcessRunTests : IDisposable
{
    private static readonly string[] Moments = ["momentum_buffer"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AnInterruptedRunSavesItsLastStepAndGoesOnToTheSameBits()
    {
        var whole = await RunAsync("whole", _ => { }, CancellationToken.None);
        using var interrupt = new CancellationTokenSource();
        var cut = await RunAsync(
            "cut",
            runEvent =>
            {
                if (runEvent is StepCompleted { Step: 7 })
                    interrupt.Cancel();
            },
            interrupt.Token
        );
        Assert.True(cut.Interrupted);
        Assert.Equal(7, cut.Step);
        Assert.Empty(cut.TestMetrics);

        var resumed = await RunAsync("cut", _ => { }, CancellationToken.None);
        Assert.False(resumed.Interrupted);
        Assert.Equal(20, resumed.Step);
        Assert.Equal(WeightsHash.Compute(whole.Weights.Span), WeightsHash.Compute(resumed.Weights.Span));
        Assert.Equal(whole.TestLoss, resumed.TestLoss);
    }

    [Fact]
    public async Task EventsComeInTheOrderOfTheSteps()
    {
        var events = new List<RunEvent>();
        await RunAsync("run", events.Add, CancellationToken.None);
        Assert.IsType<RunStarted>(events[0]);
        Assert.Equal(Enumerable.Range(1, 20).Select(step => (long)step), events.OfType<StepCompleted>().Select(step => step.Step));
        Assert.Equal([8, 16, 20], events.OfType<Evaluated>().Select(evaluated => evaluated.Step));
        Assert.Equal([6, 12, 18, 20], events.OfType<CheckpointSaved>().Select(saved => saved.Step));
    }

    // A file stands where the folder of the checkpoints is to be made.
    [Fact]
    public async Task ARunWithoutItsLastCheckpointEndsInOneLine()
    {
        var failure = await Assert.ThrowsAsync<RunFailedException>(() =>
            RunAsync(
                "run",
                runEvent =>
                {
                    if (runEvent is RunStarted)
                        File.WriteAllText(Path.Combine(_folder.File("run"), "checkpoints"), "");
                },
                CancellationToken.None
            )
        );
        Assert.Contains("the checkpoint of step 20 cannot be written", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TrainingGoesOnWhileNothingCanBeWritten()
    {
        var whole = await RunAsync("whole", _ => { }, CancellationToken.None);
        var events = new List<RunEvent>();
        string run = _folder.File("run"),
            checkpoints = Path.Combine(run, "checkpoints"),
            metrics = Path.Combine(run, "metrics.jsonl");
        var result = await RunAsync(
            "run",
            runEvent =>
            {
                events.Add(runEvent);
                if (runEvent is RunStarted)
                {
                    File.WriteAllText(checkpoints, "");
                    Directory.CreateDirectory(metrics);
                }
                else if (runEvent is StepCompleted { Step: 19 })
                {
                    File.Delete(checkpoints);
                    Directory.Delete(metrics);
                }
            },
            CancellationToken.None
        );
        Assert.Equal(WeightsHash.Compute(whole.Weights.Span), WeightsHash.Compute(result.Weights.Span));
        Assert.Equal(
            await File.ReadAllTextAsync(Path.Combine(_folder.File("whole"), "metrics.jsonl"), TestContext.Current.CancellationToken),
            await File.ReadAllTextAsync(metrics, TestContext.Current.CancellationToken)
        );
        Assert.Contains(events.OfType<CheckpointSaved>(), saved => saved.Step == 20);
        Assert.Single(events.OfType<RunWarning>(), warning =>
            warning.Message.StartsWith($"{metrics}: cannot be written", StringComparison.Ordinal)
        );
    }

    private async Task<RunResult> RunAsync(string name, Action<RunEvent> observe, CancellationToken interrupt)
    {
        var prepared = RunPreparation.Load(
            new TrainingOptions
            {
                Data = new DataOptions(),
                Model = "mlp:5",
                Steps = 20,
                EvalEvery = 8,
                CheckpointEvery = 6,
            }
        );
        var path = _folder.File(name);
        using var folder = RunFolder.Holds(path)
            ? RunFolder.Resume(path, prepared.Configuration, prepared.Network.Layout)
            : RunFolder.Create(path, prepared.Configuration, prepared.Network.Layout);
        var start = folder.Checkpoints.LoadLatest(Moments, Assert.Fail) ?? prepared.InitialState();
        var request = new RunRequest(
            prepared.Configuration,
            prepared.Dataset,
            prepared.Network,
            new ClusterOptions { Workers = 0, Threads = 1 },
            folder,
            start
        );
        await using var observers = RunObservers.Of(folder, TextWriter.Null, new Observer(observe));
        return await new InProcessRun(TimeProvider.System).RunAsync(request, observers, interrupt);
    }

    private sealed class Observer(Action<RunEvent> observe) : IRunObserver
    {
        public void Report(RunEvent runEvent) => observe(runEvent);
    }
}
