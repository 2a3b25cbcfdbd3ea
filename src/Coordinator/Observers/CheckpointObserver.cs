using Distributed.Checkpoints;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>
/// Saves snapshots as checkpoints in the background, one at a time; training never waits for the disk. One that cannot be written is told,
/// and the next one is tried when it is due; a run whose last one cannot be written has failed.
/// </summary>
/// <param name="folder">Where they are kept; it puts the metrics up to a checkpoint on disk first.</param>
/// <param name="run">Receives an event for each checkpoint once it is on disk.</param>
/// <param name="mostWaiting">How many bytes of snapshots may wait, beside the newest one.</param>
internal sealed class CheckpointObserver(RunFolder folder, IRunObserver run, long mostWaiting = CheckpointObserver.MostWaiting)
    : IRunObserver,
        IAsyncDisposable
{
    /// <summary>Enough for small models, whose steps may be much quicker than a disk; of large ones one snapshot waits.</summary>
    public const long MostWaiting = 64 << 20;

    private readonly WriteFailures _failures = new(run);
    private readonly WriteFailures _pruning = new(run);
    private readonly LinkedList<Checkpoint> _waiting = [];
    private Task<Outcome>? _saving;
    private Outcome? _unsaved; // the last attempt, if it has failed
    private bool _isSlow;

    /// <summary>The save that is under way, or has not been reported yet.</summary>
    internal Task? Saving => _saving;

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (runEvent is not SnapshotTaken { Checkpoint: var snapshot })
            return;
        _waiting.AddLast(snapshot);
        while (_waiting.Sum(BytesOf) > mostWaiting && Dispensable() is { } oldest)
            LeaveOut(oldest);
    }

    /// <summary>Reports a save that is complete by now, and begins the next one.</summary>
    /// <param name="complete">Whether to wait until all is on disk.</param>
    /// <exception cref="RunFailedException">The last checkpoint could not be written.</exception>
    public async ValueTask SettleAsync(bool complete)
    {
        await ProceedAsync(complete);
        if (!complete || _unsaved is not { } unsaved)
            return;
        _waiting.AddLast(unsaved.Snapshot);
        await ProceedAsync(complete); // there may be room by now
        if (_unsaved?.Failure is { } failure)
        {
            throw new RunFailedException(
                $"the checkpoint of step {unsaved.Snapshot.Step} cannot be written to {folder.Checkpoints.Path} "
                    + $"({WriteFailures.Reason(failure)}), so that the state after it and the results are missing; {folder.HowToGoOn}",
                failure
            );
        }
    }

    /// <summary>Waits for what is still to be written, so that the folder can be released.</summary>
    public async ValueTask DisposeAsync() => await ProceedAsync(complete: true);

    private async Task ProceedAsync(bool complete)
    {
        while (_saving is not null || _waiting.Count > 0)
        {
            if (_saving is { IsCompleted: false } && !complete)
                return;
            if (_saving is { } saving)
                Tell(await saving);
            _saving = null;
            if (_waiting.First is not { } next)
                continue;
            _waiting.RemoveFirst();
            _saving = Task.Run(() => Save(next.Value));
        }

        _isSlow = false;
    }

    private Outcome Save(Checkpoint snapshot)
    {
        string path;
        try
        {
            path = folder.SaveCheckpoint(snapshot);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new Outcome(snapshot, Path: null, exception);
        }

        try
        {
            folder.PruneCheckpoints();
            return new Outcome(snapshot, path, Failure: null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new Outcome(snapshot, path, exception);
        }
    }

    private void Tell(Outcome outcome)
    {
        var step = outcome.Snapshot.Step;
        if (outcome.Path is not { } path)
        {
            _unsaved = outcome;
            _failures.Failed(
                outcome.Failure!,
                $"the checkpoint of step {step} cannot be written to {folder.Checkpoints.Path} ({WriteFailures.Reason(outcome.Failure!)}); "
                    + "training goes on, and the next one is tried when it is due"
            );
            return;
        }

        _unsaved = null;
        _failures.Succeeded();
        run.Report(new CheckpointSaved(step, path));
        if (outcome.Failure is { } failure)
        {
            _pruning.Failed(
                failure,
                $"old checkpoints in {folder.Checkpoints.Path} cannot be deleted ({WriteFailures.Reason(failure)}), and take up room"
            );
        }
        else
        {
            _pruning.Succeeded();
        }
    }

    // Neither the newest, after which the run goes on, nor the best, which may be the model.
    private LinkedListNode<Checkpoint>? Dispensable()
    {
        var best = folder.Metrics.BestUpTo(_waiting.Last!.Value.Step)?.Step;
        var oldest = _waiting.First!.Value.Step == best ? _waiting.First.Next : _waiting.First;
        return oldest == _waiting.Last ? null : oldest;
    }

    private void LeaveOut(LinkedListNode<Checkpoint> snapshot)
    {
        var step = snapshot.Value.Step;
        _waiting.Remove(snapshot);
        if (_isSlow)
            return;
        _isSlow = true;
        run.Report(
            new RunWarning(
                $"checkpoints are due more often than {folder.Checkpoints.Path} takes them, and the one of step {step} is left out; "
                    + "raise --checkpoint-every"
            )
        );
    }

    private static long BytesOf(Checkpoint checkpoint) => (1L + checkpoint.Moments.Count) * checkpoint.Weights.Length * sizeof(float);

    /// <summary>How an attempt to save has ended.</summary>
    /// <param name="Snapshot">What was to be saved.</param>
    /// <param name="Path">The file; null if it could not be written.</param>
    /// <param name="Failure">Why not, or why older ones could not be deleted.</param>
    private sealed record Outcome(Checkpoint Snapshot, string? Path, Exception? Failure);
}
