using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>Logs what happens in a run.</summary>
/// <param name="log">The log.</param>
internal sealed partial class LogObserver(ILogger<LogObserver> log) : IRunObserver
{
    /// <inheritdoc/>
    public string Name => "the log";

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case RunWarning:
                break; // told on standard error already
            case StepCompleted step:
                Step(log, step.Step, step.Loss);
                break;
            case WorkersMeasured measured:
                foreach (var worker in measured.Workers)
                    Measured(log, measured.Step, worker.Worker, worker.SamplesPerSecond, worker.Compute, worker.Exchange, worker.Waiting);
                break;
            case CheckpointSaved saved:
                Saved(log, saved.Step, saved.Path);
                break;
            case WorkerLost lost:
                Lost(log, lost.Worker, lost.Step, lost.Reason, lost.Workers);
                break;
            default:
                if (RunText.Line(runEvent) is { } line)
                    Happened(log, runEvent.GetType().Name, line);
                break;
        }
    }

    [LoggerMessage(1000, LogLevel.Information, "{Kind}: {Text}")]
    private static partial void Happened(ILogger log, string kind, string text);

    [LoggerMessage(1001, LogLevel.Information, "checkpoint of step {Step} is on disk: {Path}")]
    private static partial void Saved(ILogger log, long step, string path);

    [LoggerMessage(1002, LogLevel.Information, "{Worker} was lost at step {Step}: {Reason}; {Workers} workers are left")]
    private static partial void Lost(ILogger log, string worker, long step, string reason, int workers);

    [LoggerMessage(
        1003,
        LogLevel.Debug,
        "up to step {Step}: {Worker} {Rate:0} samples/s, computing {Compute:P0}, exchanging {Exchange:P0}, waiting {Waiting:P0}"
    )]
    private static partial void Measured(
        ILogger log,
        long step,
        string worker,
        double rate,
        double compute,
        double exchange,
        double waiting
    );

    [LoggerMessage(1004, LogLevel.Trace, "step {Step} is complete, loss {Loss}")]
    private static partial void Step(ILogger log, long step, float loss);
}
