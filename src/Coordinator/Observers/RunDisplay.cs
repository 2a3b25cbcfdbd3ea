using Distributed.Coordinator.Commands;
using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;
using Distributed.Hosting;

namespace Distributed.Coordinator.Observers;

/// <summary>Chooses how a run is shown.</summary>
internal static class RunDisplay
{
    /// <summary>JSON or nothing if asked for; a live display for a terminal; lines for anything else.</summary>
    internal static IRunObserver Create(DisplayOptions options, CommandConsole console)
    {
        var output = new QueuedWriter(console.Output, failure =>
            console.Error.WriteLine(
                $"warning: the output cannot be written, and the run goes on: {failure.Message.ReplaceLineEndings(" ")}"
            )
        );
        return new QueuedDisplay(Choose(options, console with { Output = output }), output);
    }

    private static IRunObserver Choose(DisplayOptions options, CommandConsole console) =>
        options switch
        {
            { Json: true } => new JsonDisplay(console.Output),
            { Quiet: true } => new QuietDisplay(console),
            _ when console.IsTerminal => new LiveDisplay(console),
            _ => new LineDisplay(console),
        };
}
