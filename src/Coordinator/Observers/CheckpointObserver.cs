using Distributed.Checkpoints;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>
/// Saves snapshots as checkpoints while training continues: a snapshot is copied, and the copy is written in the background, one at a time.
/// A run whose checkpoints cannot be written has failed.
/// </summary>
/// <param name="folder">Where they are kept; it puts the metrics up to a checkpoint on disk first.</param>
/// <param name="run">Receives an event for each checkpoint once it is on disk.</param>
internal sealed class CheckpointObserver(RunFolder folder, IRunObserver run) : IRunObserver, IAsyncDisposable
{
    private Checkpoint? _taken;
    private Task<CheckpointSaved>? _saving;

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (runEvent is SnapshotTaken snapshot)
            _taken = snapshot.Checkpoint;
    }

    /// <summary>Begins to save what has been taken, after waiting for the save before; reports a save that is complete by now.</summary>
    /// <param name="complete">Whether to wait until all is on disk.</param>
    /// <exception cref="RunFailedException">A checkpoint could not be written.</exception>
    public async ValueTask SettleAsync(bool complete)
    {
        if (_taken is not null || complete || _saving is { IsCompleted: true })
            await CompleteAsync();
        if (_taken is null)
            return;
        var snapshot = Copy(_taken);
        _taken = null;
        _saving = Task.Run(() => new CheckpointSaved(snapshot.Step, folder.SaveCheckpoint(snapshot)));
        if (complete)
            await CompleteAsync();
    }

    /// <summary>Waits for what is still being written, so that the folder can be released.</summary>
    public async ValueTask DisposeAsync() => await CompleteAsync();

    private async Task CompleteAsync()
    {
        if (_saving is not { } saving)
            return;
        _saving = null;
        try
        {
            run.Report(await saving);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException($"the coordinator cannot save a checkpoint in {folder.Path}: {exception.Message}", exception);
        }
    }

    private static Checkpoint Copy(Checkpoint checkpoint) =>
        new(
            checkpoint.Step,
            checkpoint.Weights.ToArray(),
            [.. checkpoint.Moments.Select(moment => (moment.Name, (ReadOnlyMemory<float>)moment.Values.ToArray()))]
        );
}
