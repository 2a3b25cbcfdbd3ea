using Distributed.Coordinator.Commands;
using Distributed.Coordinator.Runs;

return await new CoordinatorCommand(CommandConsole.System, new TrainingRunFactory(TimeProvider.System)).RunAsync(args);
