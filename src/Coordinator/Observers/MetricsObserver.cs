using Distributed.Collectives;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>
/// Writes every step and every evaluation to the run's metrics. Lines that cannot be written wait in memory while training goes on; a run
/// that ends without them has failed.
/// </summary>
/// <param name="folder">Where they are kept.</param>
/// <param name="run">Receives the warnings.</param>
internal sealed class MetricsObserver(RunFolder folder, IRunObserver run) : IRunObserver
{
    private readonly WriteFailures _failures = new(run);
    private long _lost;

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (runEvent is StepCompleted step)
            folder.Metrics.Append(step);
        else if (runEvent is Evaluated evaluation)
            folder.Metrics.Append(evaluation);
        else if (runEvent is RolledBack back)
            folder.Metrics.Truncate(Positions.AfterEvaluation(back.Step));
        if (runEvent is not (StepCompleted or Evaluated))
            return;
        Tell(runEvent is StepCompleted { Step: var number } ? number : ((Evaluated)runEvent).Step);
    }

    /// <inheritdoc/>
    public ValueTask SettleAsync(bool complete)
    {
        if (!complete)
            return ValueTask.CompletedTask;
        try
        {
            folder.Metrics.FlushToDisk();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException(
                $"{folder.Metrics.Path}: the last lines cannot be written ({WriteFailures.Reason(exception)}), "
                    + $"and with them the last checkpoint and the results; {folder.HowToGoOn}",
                exception
            );
        }

        if (_lost > 0)
            run.Report(new RunWarning($"{folder.Metrics.Path}: {_lost} lines are missing, which could not be written in time"));
        return ValueTask.CompletedTask;
    }

    private void Tell(long step)
    {
        _failures.Tell(folder.Metrics.Path, folder.Metrics.Failure);
        if (folder.Metrics.Failure is null)
            return;
        if (folder.Metrics.Lost > 0 && _lost == 0)
        {
            run.Report(
                new RunWarning(
                    $"{folder.Metrics.Path}: more lines wait than are kept in memory; "
                        + $"those from step {step} on are lost until it can be written"
                )
            );
        }

        _lost = folder.Metrics.Lost;
    }
}
