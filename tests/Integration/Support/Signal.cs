using System.Runtime.InteropServices;
using Xunit;

namespace Distributed.Integration.Support;

/// <summary>POSIX signals to processes.</summary>
internal static partial class Signal
{
    private const int InterruptNumber = 2;
    private const int KillNumber = 9;
    private const int TerminateNumber = 15;
    private const int ContinueNumber = 18;
    private const int StopNumber = 19;

    /// <summary>SIGINT to several processes, as a terminal sends it to a process group on Ctrl+C.</summary>
    public static void Interrupt(params IEnumerable<int> processes)
    {
        foreach (var process in processes)
            Send(process, InterruptNumber);
    }

    /// <summary>SIGKILL.</summary>
    public static void Kill(int process) => Send(process, KillNumber);

    /// <summary>SIGSTOP.</summary>
    public static void Stop(int process) => Send(process, StopNumber);

    /// <summary>SIGCONT.</summary>
    public static void Continue(int process) => Send(process, ContinueNumber);

    /// <summary>SIGTERM.</summary>
    public static void Terminate(int process) => Send(process, TerminateNumber);

    private static void Send(int process, int signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs POSIX signals");
        if (SendTo(process, signal) != 0)
        {
            throw new InvalidOperationException(
                $"Signal {signal} did not reach process {process} (error {Marshal.GetLastPInvokeError()})."
            );
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendTo(int process, int signal);
}
