using Distributed.Coordinator.Commands;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Tests.CommandLine;

/// <summary>What a command line has done.</summary>
/// <param name="ExitCode">The process's exit code.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Errors">The lines of standard error.</param>
internal sealed record CommandOutcome(int ExitCode, string Output, IReadOnlyList<string> Errors);

/// <summary>Runs command lines inside the test process.</summary>
internal static class CommandRunner
{
    /// <summary>A training of less than a second.</summary>
    public const string Tiny = "--workers 0 --threads 1 --model mlp:9 --batch-size 100 --microbatch 7";

    public static Task<CommandOutcome> RunAsync(params string[] arguments) => RunAsync([], arguments);

    public static async Task<CommandOutcome> RunAsync(byte[] input, params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        return await RunAsync(output, input, arguments);
    }

    /// <summary>Runs a command line whose standard output goes elsewhere.</summary>
    public static Task<CommandOutcome> RunAsync(TextWriter output, params string[] arguments) => RunAsync(output, [], arguments);

    private static async Task<CommandOutcome> RunAsync(TextWriter output, byte[] input, string[] arguments)
    {
        using var error = new StringWriter { NewLine = "\n" };
        var console = new CommandConsole(output, error, IsTerminal: false, TimeProvider.System)
        {
            OpenInput = () => new MemoryStream(input),
        };
        var exitCode = await new CoordinatorCommand(console, new TrainingRunFactory(TimeProvider.System)).RunAsync(arguments);
        return new CommandOutcome(exitCode, output.ToString()!, error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    public static Task<CommandOutcome> TrainAsync(string run, string options) =>
        RunAsync(["train", .. Tiny.Split(' '), "--run", run, .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
}
