using System.Runtime.InteropServices;
using Distributed.Collectives;
using Distributed.Hosting;
using Distributed.Protocol;
using Distributed.Worker.CommandLine;
using Distributed.Worker.Exchange;
using Distributed.Worker.Sessions;
using Grpc.AspNetCore.Server.Model;

namespace Distributed.Worker;

/// <summary>A worker from start to exit code: a server for its peers, and a session with the coordinator.</summary>
internal static class WorkerProcess
{
    /// <summary>Runs until the run is complete, the worker has been told to leave, or it fails.</summary>
    /// <param name="options">Options without errors.</param>
    /// <param name="inheritedToken">The token from the environment, or null.</param>
    public static async Task<int> RunAsync(WorkerOptions options, string? inheritedToken)
    {
        ParentWatch.Start();
        using var interrupt = new CancellationTokenSource();
        using var leave = new Signals(interrupt, ignoreInterrupt: options.LocalNumber > 0);
        try
        {
            return await RunAsync(options, await TokenSource.ReadAsync(options, inheritedToken, interrupt.Token), interrupt.Token);
        }
        catch (InputException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCode.BadUsage;
        }
        catch (RunFailedException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCode.Failed;
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            return ExitCode.Done;
        }
    }

    private static async Task<int> RunAsync(WorkerOptions options, RunToken? token, CancellationToken leave)
    {
        var listen = new Uri(options.Listen);
        var builder = GrpcServer.CreateBuilder(listen, token);
        builder.Services.AddSingleton<ViewDirectory>();
        builder.Services.AddSingleton<IServiceMethodProvider<MemberTensorService>, TensorMethods>();
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        await using var app = builder.Build();
        app.MapGrpcService<MemberTensorService>();
        GrpcServer.MapCommonServices(app, listen);
        var bound = await GrpcServer.StartAsync(app, listen, leave);
        try
        {
            var session = new WorkerSession(options, token, options.Advertise ?? bound.ToString(), app.Services.GetRequiredService<ViewDirectory>());
            await session.RunAsync(leave);
            return ExitCode.Done;
        }
        finally
        {
            await app.StopAsync(CancellationToken.None);
        }
    }

    // The host's own lifetime would stop the server on a signal, in the middle of a step.
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>SIGTERM asks to leave; so does SIGINT, unless the coordinator has started this worker and gets the same Ctrl+C.</summary>
    private sealed class Signals : IDisposable
    {
        private readonly PosixSignalRegistration _terminate;
        private readonly PosixSignalRegistration _interrupt;

        public Signals(CancellationTokenSource leave, bool ignoreInterrupt)
        {
            _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Leave(context));
            _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
            {
                context.Cancel = true;
                if (!ignoreInterrupt)
                    Leave(context);
            });

            void Leave(PosixSignalContext context)
            {
                context.Cancel = true;
                leave.Cancel();
            }
        }

        public void Dispose()
        {
            _terminate.Dispose();
            _interrupt.Dispose();
        }
    }
}
