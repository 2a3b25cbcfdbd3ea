using Distributed.Coordinator.Commands;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>Lines for logs and pipes: every evaluation, and a step after 5 s without a line.</summary>
/// <param name="console">Where to write.</param>
internal sealed class LineDisplay(CommandConsole console) : IRunObserver
{
    private static readonly TimeSpan StepInterval = TimeSpan.FromSeconds(5);

    private readonly RunStatus _status = new();
    private long _lastLine;

    /// <inheritdoc/>
    public string Name => "the output";

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        _status.Take(runEvent);
        if (runEvent is RunWarning warning)
            console.Error.WriteLine(RunText.Warning(warning));
        else if (RunText.Line(runEvent) is { } line)
            Write(line);
        else if (runEvent is StepCompleted step && console.Time.GetElapsedTime(_lastLine) >= StepInterval)
            Write(RunText.Step(step, _status));
    }

    private void Write(string line)
    {
        console.Output.WriteLine(line);
        console.Output.Flush();
        _lastLine = console.Time.GetTimestamp();
    }
}
