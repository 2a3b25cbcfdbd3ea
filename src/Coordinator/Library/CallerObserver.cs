using System.Runtime.ExceptionServices;
using System.Text;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;
using Distributed.Training;

namespace Distributed.Cluster;

/// <summary>Tells the program that trains how its run goes. What its own code throws ends the run, and reaches it.</summary>
/// <param name="configuration">Says which steps are evaluated.</param>
/// <param name="progress">Takes every step; or null.</param>
/// <param name="messages">Takes what happens beside the steps, as lines; or null.</param>
/// <param name="stop">Ends the run.</param>
internal sealed class CallerObserver(
    RunConfiguration configuration,
    IProgress<TrainingProgress>? progress,
    IProgress<string>? messages,
    CancellationTokenSource stop
) : IRunObserver
{
    private StepCompleted? _step; // whose evaluation is still to come
    private ExceptionDispatchInfo? _failure;

    /// <summary>Takes the lines that a command line would write to standard error.</summary>
    public TextWriter Errors => new MessageWriter(this);

    /// <inheritdoc />
    public void Report(RunEvent runEvent) => Call(() => Take(runEvent));

    /// <summary>Throws what the program's own code has thrown.</summary>
    public void ThrowIfFailed() => _failure?.Throw();

    private void Call(Action action)
    {
        if (_failure is not null)
            return;
        try
        {
            action();
        }
        catch (Exception exception)
        {
            _failure = ExceptionDispatchInfo.Capture(exception);
            stop.Cancel();
        }
    }

    private void Take(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case StepCompleted step when configuration.IsEvaluated(step.Step):
                _step = step;
                break;
            case StepCompleted step:
                Tell(step, evaluation: null);
                break;
            case Evaluated evaluation when _step?.Step == evaluation.Step:
                Tell(_step, evaluation);
                break;
            case Evaluated or RunCompleted or RunInterrupted: // what the result says
                break;
            case RunWarning warning:
                messages?.Report(RunText.Warning(warning));
                break;
            case var other when RunText.Line(other) is { } line:
                messages?.Report(line);
                break;
        }
    }

    private void Tell(StepCompleted step, Evaluated? evaluation) =>
        progress?.Report(
            new TrainingProgress(
                step.Step,
                configuration.Steps,
                step.Epoch,
                step.Loss,
                evaluation is null ? null : new TestScore(evaluation.TestLoss, evaluation.Metrics)
            )
            {
                Holdout = evaluation?.HeldOut,
            }
        );

    private sealed class MessageWriter(CallerObserver observer) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value) => observer.Call(() => observer.Message(value!));
    }

    private void Message(string line) => messages?.Report(line);
}
