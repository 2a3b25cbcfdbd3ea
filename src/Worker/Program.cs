using System.CommandLine;
using Distributed.Hosting;
using Distributed.Worker.CommandLine;

if (DescriptorLimit.Refusal() is { } refusal)
{
    await Console.Error.WriteLineAsync(refusal);
    return ExitCode.Failed;
}

// Values such as @name are values, not files of arguments. On SIGTERM a worker finishes what it was granted, however long a step takes;
// the parser would end it after two seconds.
StandardStreams.Reserve();
var exitCode = await WorkerCommand
    .Create()
    .Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null })
    .InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
await StandardStreams.CompleteAsync();
return exitCode;
