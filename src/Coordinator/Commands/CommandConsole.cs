using Distributed.Hosting;

namespace Distributed.Coordinator.Commands;

/// <summary>Where a command writes and what time it is.</summary>
/// <param name="Output">Standard output: results and progress.</param>
/// <param name="Error">Standard error: what is wrong.</param>
/// <param name="IsTerminal">Whether a person watches the output as it comes, on a terminal that may draw.</param>
/// <param name="Time">The clock.</param>
internal sealed record CommandConsole(TextWriter Output, TextWriter Error, bool IsTerminal, TimeProvider Time)
{
    /// <summary>Opens standard input.</summary>
    internal Func<Stream> OpenInput { get; init; } = Console.OpenStandardInput;

    /// <summary>Whether what a command does may be watched in a browser; not where it is only a part of another program.</summary>
    internal bool HasDashboard { get; init; }

    /// <summary>The process's own streams and the system's clock.</summary>
    internal static CommandConsole System { get; } =
        new(StandardStreams.Output, StandardStreams.Error, !Console.IsOutputRedirected && WantsColor, TimeProvider.System)
        {
            HasDashboard = true,
        };

    // https://no-color.org; a dumb terminal cannot move its cursor.
    private static bool WantsColor =>
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>Writes each line of a message as an error of its own. It may hold names out of files and arguments.</summary>
    internal void WriteErrors(string message)
    {
        foreach (var line in message.Split('\n'))
            Error.WriteLine($"error: {Printable.Of(line)}");
    }
}
