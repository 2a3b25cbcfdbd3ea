using System.Runtime.InteropServices;

namespace Distributed.Coordinator.Commands;

/// <summary>
/// Turns the first SIGINT or SIGTERM into a token. Schedulers send SIGTERM several times, so that further ones change nothing; a second
/// SIGINT, from a person who does not want to wait, ends the process at once, as by default.
/// </summary>
internal sealed class InterruptSignal : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _exitCode; // 0 until a signal has arrived
    private int _interrupts;

    /// <summary>Listens from now on.</summary>
    internal InterruptSignal() =>
        _registrations = [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Take),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Take),
        ];

    /// <summary>Fires when a signal has arrived.</summary>
    internal CancellationToken Token => _source.Token;

    /// <summary>What the process returns for a run that stopped early: failed, unless a signal asked for it.</summary>
    internal int ExitCode => Volatile.Read(ref _exitCode) is > 0 and var code ? code : ExitCodes.RunFailed;

    /// <summary>Stops listening.</summary>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void Take(PosixSignalContext context)
    {
        var isInterrupt = context.Signal == PosixSignal.SIGINT;
        if (isInterrupt && Interlocked.Increment(ref _interrupts) > 1)
            return;
        context.Cancel = true;
        if (Interlocked.CompareExchange(ref _exitCode, isInterrupt ? ExitCodes.Interrupted : ExitCodes.Terminated, 0) == 0)
            _source.Cancel();
    }
}
