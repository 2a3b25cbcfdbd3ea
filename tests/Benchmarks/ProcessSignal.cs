using System.Runtime.InteropServices;

namespace Distributed.Benchmarks;

/// <summary>Signals to other processes, by their numbers on Linux.</summary>
internal static partial class ProcessSignal
{
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>Sends a signal; 0 if it has been sent.</summary>
    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Send(int process, int signal);
}
