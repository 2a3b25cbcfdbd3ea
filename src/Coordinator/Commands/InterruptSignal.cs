using System.Runtime.InteropServices;

namespace Distributed.Coordinator.Commands;

/// <summary>Turns the first SIGINT or SIGTERM into a token; a second one ends the process at once, as by default.</summary>
internal sealed class InterruptSignal : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private volatile int _exitCode = ExitCodes.RunFailed;

    /// <summary>Listens from now on.</summary>
    internal InterruptSignal() =>
        _registrations = [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Take(context, ExitCodes.Interrupted)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Take(context, ExitCodes.Terminated)),
        ];

    /// <summary>Fires when a signal has arrived.</summary>
    internal CancellationToken Token => _source.Token;

    /// <summary>What the process returns for a run that stopped early: failed, unless a signal asked for it.</summary>
    internal int ExitCode => _exitCode;

    /// <summary>Stops listening.</summary>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void Take(PosixSignalContext context, int exitCode)
    {
        if (_source.IsCancellationRequested)
            return;
        context.Cancel = true;
        _exitCode = exitCode;
        _source.Cancel();
    }
}
