namespace Distributed.Coordinator.Runs;

/// <summary>Writes steps and evaluations to the run's metrics before anyone sees them.</summary>
/// <param name="metrics">Where they are kept.</param>
/// <param name="display">Is told of every event after that.</param>
public sealed class RunRecorder(MetricsLog metrics, IRunObserver display) : IRunObserver
{
    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (runEvent is StepCompleted step)
            metrics.Append(step);
        else if (runEvent is Evaluated evaluation)
            metrics.Append(evaluation);
        display.Report(runEvent);
    }
}
