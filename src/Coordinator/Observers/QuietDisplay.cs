using Distributed.Coordinator.Commands;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>Only the result; warnings go to standard error.</summary>
/// <param name="console">Where to write.</param>
internal sealed class QuietDisplay(CommandConsole console) : IRunObserver
{
    /// <inheritdoc/>
    public string Name => "the output";

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (runEvent is RunWarning warning)
            console.Error.WriteLine(RunText.Warning(warning));
        else if (runEvent is Waiting && RunText.Line(runEvent) is { } wait)
            console.Error.WriteLine(wait);
        else if (runEvent is RunCompleted completed)
            console.Output.WriteLine(RunText.Result(completed));
        else if (runEvent is RunInterrupted or RunVerified && RunText.Line(runEvent) is { } line)
            console.Output.WriteLine(line);
    }
}
