using System.Diagnostics;
using System.Runtime.InteropServices;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Hosting;

/// <summary>The worker's executable, which lies beside the coordinator's.</summary>
internal static class WorkerExecutable
{
    /// <summary>How to start it, with all its standard streams redirected.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="token">The run's token; null in an insecure run.</param>
    public static ProcessStartInfo StartInfo(IEnumerable<string> arguments, RunToken? token)
    {
        var host = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "worker.exe" : "worker");
        var start = new ProcessStartInfo(host, arguments) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment.Remove(RunToken.EnvironmentVariable);
        if (token is not null)
            start.Environment[RunToken.EnvironmentVariable] = token.Reveal();

        // What a socket has received is handled where it is noticed: a tenth less processor time per step than a hand-over to a pool thread.
        start.Environment["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1";

        // The worker runs on the runtime that runs the coordinator, wherever that is installed.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        return start;
    }

    /// <summary>Starts it.</summary>
    /// <exception cref="RunFailedException">It cannot be started.</exception>
    public static Process Launch(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new RunFailedException($"the worker {start.FileName} cannot be started ({exception.Message}); it belongs beside the coordinator, so build or publish both together", exception);
        }
    }
}
