using Distributed.Checkpoints;
using Distributed.Data;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>
/// A run in its folder, from the state that it begins with to its model and summary: what the command line and the library have in common.
/// </summary>
/// <param name="prepared">What is trained.</param>
/// <param name="folder">Where it is kept.</param>
/// <param name="observers">Are told of it, those among them that write the folder's files.</param>
internal sealed class KeptRun(RunPreparation prepared, RunFolder folder, IRunObserver observers)
{
    /// <summary>Trains to the end, unless that has been done already, and leaves model and summary in the folder.</summary>
    /// <param name="run">The way to train.</param>
    /// <param name="cluster">Who does the work.</param>
    /// <param name="resume">Whether the folder holds a run that goes on.</param>
    /// <param name="interrupt">Stops the run after a last checkpoint.</param>
    /// <returns>How it went; null if it was interrupted.</returns>
    /// <exception cref="InputException">The options ask for what is not there; a folder that was made for the run is gone again.</exception>
    /// <exception cref="RunFailedException">The run could not go on.</exception>
    public async Task<RunSummary?> TrainAsync(ITrainingRun run, ClusterOptions cluster, bool resume, CancellationToken interrupt)
    {
        try
        {
            var (start, best) = resume ? FindStart() : (prepared.InitialState(), null);
            var summary = RunFolder.ReadSummary(folder.Path);
            var isComplete =
                start.Step == prepared.Configuration.Steps || (summary is { StoppedEarly: true } && start.Step == summary.Steps);
            if (isComplete && summary is not null)
                observers.Report(new RunCompleted(folder.Path, summary));
            else
                summary = await TrainAsync(run, cluster, start, best, interrupt);
            return summary;
        }
        catch (OutOfMemoryException exception)
        {
            var use = MemoryUse.Of(prepared.Dataset, prepared.Network, prepared.Configuration.Options);
            throw new RunFailedException(use.Exhausted(), exception);
        }
        catch (InputException)
        {
            folder.Discard();
            throw;
        }
    }

    private (Checkpoint Start, BestState? Best) FindStart()
    {
        var moments = prepared.Configuration.Options.Optimizer.CreateOptimizer().MomentNames;
        var before = long.MaxValue;
        while (folder.Checkpoints.LoadLatest(moments, Warn, folder.Lineage(), before) is { } start)
        {
            if (!folder.Checkpoints.Steps.Contains(start.Step))
                EmergencyStart.Adopt(start, prepared, folder, observers);
            var search = BestStart.Find(start, prepared.Configuration, folder.Metrics.Evaluations(), step =>
                folder.Checkpoints.Load(step, moments, Warn)
            );
            if (search.MissingStep is not { } missing)
                return (start, search.Best);
            Warn(
                $"the state after step {start.Step} is passed over: the evaluation or the checkpoint of step {missing} is missing, on which "
                    + "--patience depends; going on from an earlier one"
            );
            before = missing;
        }

        return (prepared.InitialState(), null);

        void Warn(string message) => observers.Report(new RunWarning(message));
    }

    private async Task<RunSummary?> TrainAsync(
        ITrainingRun run,
        ClusterOptions cluster,
        Checkpoint start,
        BestState? best,
        CancellationToken interrupt
    )
    {
        var configuration = prepared.Configuration;
        var request = new RunRequest(configuration, prepared.Dataset, prepared.Network, cluster, folder, start)
        {
            Logged = folder.Metrics.Position(),
            Evaluations = configuration.Options.Patience is null ? [] : folder.Metrics.Evaluations(),
            Best = best,
            Data = prepared.Dataset.Source is null ? null : prepared.Places.In(configuration.Options).Data,
        };
        var result = await run.RunAsync(request, observers, interrupt);
        if (result.Interrupted)
        {
            observers.Report(new RunInterrupted(result.Step, folder.Path));
            return null;
        }

        var summary = Summarize(result);
        folder.Complete(prepared.Network.Layout, result.Weights, prepared.Describe(), summary);
        observers.Report(new RunCompleted(folder.Path, summary));
        return summary;
    }

    private RunSummary Summarize(RunResult result)
    {
        var best = folder.Metrics.BestUpTo(result.Step); // with --patience, the one whose weights are the model
        return new(
            result.Step,
            result.Samples,
            result.Seconds,
            result.Seconds > 0 ? result.Samples / result.Seconds : 0,
            folder.Metrics.LastEpochLoss(),
            result.TestLoss ?? throw new InvalidOperationException("a complete run has been evaluated"),
            [.. result.TestMetrics, .. prepared.FinalMetrics(result.Weights)],
            WeightsHash.Compute(result.Weights.Span),
            result.Workers,
            result.Transport
        )
        {
            HeldOut = result.HeldOut is { } heldOut
                ? heldOut with
                {
                    Metrics = [.. heldOut.Metrics, .. prepared.FinalMetrics(result.Weights, DataPart.Holdout)],
                }
                : null,
            BestHoldoutLoss = best?.HoldoutLoss,
            StoppedEarly = prepared.Configuration.Options.Patience is null ? null : result.StopReason is not null,
            StopReason = result.StopReason,
            WorkersLost = result.WorkersLost,
            WorkersJoined = result.WorkersJoined,
            BestStep = best?.Step,
            BestTestLoss = best?.TestLoss,
            BestCheckpoint = best is null ? null : folder.NameOfCheckpoint(best.Step),
        };
    }
}
