using System.CommandLine;
using Distributed.Worker.CommandLine;

// On SIGTERM a worker finishes what it was granted, however long a step takes; the parser would end it after two seconds.
return await WorkerCommand.Create().Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
