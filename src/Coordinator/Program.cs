using Distributed.Coordinator;
using Distributed.Coordinator.Commands;
using Distributed.Coordinator.Runs;
using Distributed.Hosting;

if (DescriptorLimit.Refusal() is { } refusal)
{
    await Console.Error.WriteLineAsync(refusal);
    return ExitCodes.RunFailed;
}

StandardStreams.Reserve();
var exitCode = await new CoordinatorCommand(CommandConsole.System, new TrainingRunFactory(TimeProvider.System)).RunAsync(args);
await StandardStreams.CompleteAsync();
return exitCode;

// Of this program alone: the web framework would make it public, and other programs that reference this assembly have one of their own.
internal sealed partial class Program;
