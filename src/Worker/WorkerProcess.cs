using System.Runtime.InteropServices;
using Distributed.Hosting;
using Distributed.Protocol;
using Distributed.Worker.CommandLine;
using Distributed.Worker.Sessions;

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
        using var leave = new Signals(interrupt, ignoreInterrupt: options.Local is not null);
        try
        {
            return await RunAsync(options, await TokenSource.ReadAsync(options, inheritedToken, interrupt.Token), interrupt.Token);
        }
        catch (InputException exception)
        {
            await StandardStreams.Error.WriteLineAsync(exception.Message);
            return ExitCode.BadUsage;
        }
        catch (RunFailedException exception)
        {
            await StandardStreams.Error.WriteLineAsync(exception.Message);
            return ExitCode.Failed;
        }
        catch (RunSuspendedException exception)
        {
            await StandardStreams.Error.WriteLineAsync(exception.Message);
            return interrupt.IsCancellationRequested ? ExitCode.Done : ExitCode.Later;
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            return ExitCode.Done;
        }
    }

    private static async Task<int> RunAsync(WorkerOptions options, RunToken? token, CancellationToken leave)
    {
        using var logs = ProcessLogs.Open(options.Logs, isLocalWorker: options.Local is not null);
        await using var server = await PeerServer.StartAsync(new Uri(options.Listen), token, leave, logs);
        var session = new WorkerSession(options, token, options.Advertise ?? server.Address.ToString(), server.Directory, logs.Factory);
        await session.RunAsync(leave);
        return ExitCode.Done;
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
