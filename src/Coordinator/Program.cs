using Distributed.Coordinator.Commands;
using Distributed.Coordinator.Runs;
using Distributed.Hosting;

StandardStreams.Reserve();
var exitCode = await new CoordinatorCommand(CommandConsole.System, new TrainingRunFactory(TimeProvider.System)).RunAsync(args);
await StandardStreams.CompleteAsync();
return exitCode;
