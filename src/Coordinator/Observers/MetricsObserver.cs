using Distributed.Collectives;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>Writes every step and every evaluation to the run's metrics. A run whose metrics cannot be written has failed.</summary>
/// <param name="folder">Where they are kept.</param>
internal sealed class MetricsObserver(RunFolder folder) : IRunObserver
{
    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        try
        {
            if (runEvent is StepCompleted step)
                folder.Metrics.Append(step);
            else if (runEvent is Evaluated evaluation)
                folder.Metrics.Append(evaluation);
            else if (runEvent is RolledBack back)
                folder.Metrics.Truncate(Positions.AfterEvaluation(back.Step));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RunFailedException($"the coordinator cannot write the metrics in {folder.Path}: {exception.Message}", exception);
        }
    }
}
