using Distributed.Checkpoints;

namespace Distributed.Coordinator.Runs;

/// <summary>
/// Saves checkpoints while training goes on: a save copies the state and writes the copy in the background, one at a time. Used by one
/// thread.
/// </summary>
/// <param name="folder">Where they are kept.</param>
/// <param name="observer">Is told of each one that is on disk.</param>
public sealed class CheckpointWriter(RunFolder folder, IRunObserver observer) : IAsyncDisposable
{
    private Task<CheckpointSaved>? _pending;

    /// <summary>
    /// Begins to save a state; returns when its memory may be changed. Waits for the save before, if that is still going on.
    /// </summary>
    /// <exception cref="RunFailedException">The checkpoint before could not be written.</exception>
    public async Task SaveAsync(Checkpoint checkpoint)
    {
        await CompleteAsync();
        var snapshot = Copy(checkpoint);
        _pending = Task.Run(() => new CheckpointSaved(snapshot.Step, folder.SaveCheckpoint(snapshot)));
    }

    /// <summary>Reports the last save if it is complete by now.</summary>
    /// <exception cref="RunFailedException">It could not be written.</exception>
    public Task PollAsync() => _pending is { IsCompleted: true } ? CompleteAsync() : Task.CompletedTask;

    /// <summary>Waits until the last save is on disk, and reports it.</summary>
    /// <exception cref="RunFailedException">It could not be written.</exception>
    public async Task CompleteAsync()
    {
        if (_pending is null)
            return;
        try
        {
            observer.Report(await _pending);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException($"the coordinator cannot save a checkpoint in {folder.Path}: {exception.Message}", exception);
        }
        finally
        {
            _pending = null;
        }
    }

    /// <summary>Waits for what is still being written, so that the folder can be let go of.</summary>
    public async ValueTask DisposeAsync() => await CompleteAsync();

    private static Checkpoint Copy(Checkpoint checkpoint) =>
        new(
            checkpoint.Step,
            checkpoint.Weights.ToArray(),
            [.. checkpoint.Moments.Select(moment => (moment.Name, (ReadOnlyMemory<float>)moment.Values.ToArray()))]
        );
}
