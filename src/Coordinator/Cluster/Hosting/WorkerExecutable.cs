using System.Diagnostics;
using System.Runtime.InteropServices;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Hosting;

/// <summary>The worker's executable, which lies beside the coordinator's.</summary>
internal static class WorkerExecutable
{
    private static readonly string Host = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "worker.exe" : "worker");

    private static readonly IReadOnlyList<(string Name, string Value)> Variables =
    [
        // What a socket has received is handled where it is noticed: a tenth less processor time per step than a hand-over to a pool
        // thread.
        ("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1"),
        // The worker runs on the runtime that runs the coordinator, wherever that is installed.
        ("DOTNET_ROOT", Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."))),
    ];

    /// <summary>How to start it, with all its standard streams redirected.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="token">The run's token; null in an insecure run, or if it gets it otherwise.</param>
    public static ProcessStartInfo StartInfo(IEnumerable<string> arguments, RunToken? token)
    {
        var start = Redirected(Host, arguments);
        start.Environment.Remove(RunToken.EnvironmentVariable);
        if (token is not null)
            start.Environment[RunToken.EnvironmentVariable] = token.Reveal();
        foreach (var (name, value) in Variables)
            start.Environment[name] = value;
        return start;
    }

    /// <summary>How to start it on another machine, where worker and runtime lie under the same paths as here.</summary>
    /// <param name="launcher">A command with its first arguments that runs the rest on a machine: <c>ssh</c>.</param>
    /// <param name="machine">The machine's name.</param>
    /// <param name="arguments">The worker's arguments, which others on both machines can read.</param>
    public static ProcessStartInfo StartInfo(IReadOnlyList<string> launcher, string machine, IEnumerable<string> arguments)
    {
        // A remote shell passes no environment on.
        var environment = Variables.Select(variable => $"{variable.Name}={variable.Value}");
        var start = Redirected(launcher[0], [.. launcher.Skip(1), machine, "env", .. environment, Host, .. arguments]);
        start.Environment.Remove(RunToken.EnvironmentVariable);
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
            throw new RunFailedException(
                start.FileName == Host
                    ? $"the worker {Host} cannot be started ({exception.Message}); "
                        + "it belongs beside the coordinator, so build or publish both together"
                    : $"{start.FileName} cannot be started ({exception.Message}); name a command that is on the path",
                exception
            );
        }
    }

    private static ProcessStartInfo Redirected(string program, IEnumerable<string> arguments) =>
        new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
}
