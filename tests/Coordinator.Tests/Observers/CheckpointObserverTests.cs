using Distributed.Checkpoints;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Observers;

public sealed class CheckpointObserverTests : IDisposable
{
    private static readonly RunPreparation Prepared = RunPreparation.Load(new TrainingOptions { Model = "mlp:3" });
    private static readonly Checkpoint Initial = Prepared.InitialState();

    private readonly TemporaryFolder _folder = new();
    private readonly Reported _run = new();
    private readonly RunFolder _runFolder;
    private Action _beforeWrite = () => { };

    public CheckpointObserverTests() =>
        _runFolder = RunFolder.Create(_folder.File("run"), Prepared.Configuration, Prepared.Network.Layout, (path, content) =>
        {
            _beforeWrite();
            AtomicFile.Write(path, content);
        });

    public void Dispose()
    {
        _runFolder.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_failure_is_told_once_and_the_next_checkpoint_is_tried_when_it_is_due()
    {
        await using var observer = new CheckpointObserver(_runFolder, _run);
        await SaveAsync(observer, 1);
        _beforeWrite = () => throw new IOException("No space left on device : 'x'", 28);
        await SaveAsync(observer, 2, 3);
        Assert.Equal([1], _runFolder.Checkpoints.Steps);
        _beforeWrite = () => throw new UnauthorizedAccessException("Access to the path 'x' is denied.");
        await SaveAsync(observer, 4);
        _beforeWrite = () => { };
        await SaveAsync(observer, 5);
        _beforeWrite = () => throw new IOException("No space left on device : 'x'", 28);
        await SaveAsync(observer, 6);
        _beforeWrite = () => { };
        await SaveAsync(observer, 7);

        Assert.Equal([1, 5, 7], _runFolder.Checkpoints.Steps);
        Assert.Equal([1, 5, 7], _run.Events.OfType<CheckpointSaved>().Select(saved => saved.Step));
        var place = _runFolder.Checkpoints.Path;
        const string rest = "training goes on, and the next one is tried when it is due; make room there, or make it writable";
        Assert.Equal(
            [
                $"the checkpoint of step 2 cannot be written to {place} (No space left on device); {rest}",
                $"the checkpoint of step 4 cannot be written to {place} (Access to the path 'x' is denied); {rest}",
                $"the checkpoint of step 6 cannot be written to {place} (No space left on device); {rest}",
            ],
            _run.Events.OfType<RunWarning>().Select(warning => warning.Message)
        );
    }

    [Fact]
    public async Task The_last_one_is_tried_again_at_the_end()
    {
        await using var observer = new CheckpointObserver(_runFolder, _run);
        _beforeWrite = () => throw new IOException("No space left on device");
        await SaveAsync(observer, 1);
        _beforeWrite = () => { };
        await observer.SettleAsync(complete: true);
        Assert.Equal([1], _runFolder.Checkpoints.Steps);
    }

    [Fact]
    public async Task A_run_without_its_last_checkpoint_has_failed_with_what_is_missing_and_how_to_get_it()
    {
        await using var observer = new CheckpointObserver(_runFolder, _run);
        _beforeWrite = () => throw new IOException("No space left on device");
        observer.Report(new SnapshotTaken(Initial with { Step = 9 }));
        var failure = await Assert.ThrowsAsync<RunFailedException>(() => observer.SettleAsync(complete: true).AsTask());
        Assert.Equal(
            $"the checkpoint of step 9 cannot be written to {_runFolder.Checkpoints.Path} (No space left on device), "
                + "so that the state after it and the results are missing; "
                + $"make room there, or make it writable, and go on with: train --resume --run {_runFolder.Path}",
            failure.Message
        );
    }

    // Grants, and the training of one process, go on meanwhile.
    [Fact]
    public async Task Training_never_waits_for_the_disk()
    {
        using var written = new ManualResetEventSlim();
        await using var observer = new CheckpointObserver(_runFolder, _run, mostWaiting: 0);
        _beforeWrite = () => written.Wait(TestContext.Current.CancellationToken);
        foreach (var step in new[] { 1, 2, 3, 4 })
        {
            observer.Report(new SnapshotTaken(Initial with { Step = step }));
            Assert.True(observer.SettleAsync(complete: false).AsTask().IsCompletedSuccessfully, "it waits for the disk");
        }

        written.Set();
        await observer.SettleAsync(complete: true);
        Assert.Equal([1, 4], _runFolder.Checkpoints.Steps);
        Assert.Contains("the one of step 2 is left out; raise --checkpoint-every", Assert.Single(_run.Events.OfType<RunWarning>()).Message);
    }

    // A run that goes on from such a checkpoint has every line of the metrics before it.
    [Fact]
    public async Task No_checkpoint_is_written_while_metrics_before_it_are_not()
    {
        await using var observer = new CheckpointObserver(_runFolder, _run);
        Directory.CreateDirectory(_runFolder.Metrics.Path); // a folder stands where the file is to be made
        _runFolder.Metrics.Append(new StepCompleted(1, 1, 2, 0.1f, 64));
        await SaveAsync(observer, 1);
        Assert.Empty(_runFolder.Checkpoints.Steps);
        Directory.Delete(_runFolder.Metrics.Path);
        await SaveAsync(observer, 2);
        Assert.Equal([2], _runFolder.Checkpoints.Steps);
        Assert.Single(await File.ReadAllLinesAsync(_runFolder.Metrics.Path, TestContext.Current.CancellationToken));
    }

    // Each is saved, or has failed, before the next is taken.
    private async Task SaveAsync(CheckpointObserver observer, params IEnumerable<long> steps)
    {
        foreach (var step in steps)
        {
            observer.Report(new SnapshotTaken(Initial with { Step = step }));
            await observer.SettleAsync(complete: false);
            while (observer.Saving is { } saving)
            {
                await saving;
                await observer.SettleAsync(complete: false);
            }
        }
    }

    private sealed class Reported : IRunObserver
    {
        public List<RunEvent> Events { get; } = [];

        public void Report(RunEvent runEvent) => Events.Add(runEvent);
    }
}
