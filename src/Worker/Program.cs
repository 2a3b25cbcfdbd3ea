using Distributed.Worker.CommandLine;

return await WorkerCommand.Create().Parse(args).InvokeAsync();
