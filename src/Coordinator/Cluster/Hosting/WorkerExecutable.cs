using System.Diagnostics;
using System.Runtime.InteropServices;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Hosting;

/// <summary>
/// The worker's program: an executable beside the coordinator's, or an assembly that the runtime is asked to run, as packages have it. Where
/// the coordinator is a library in another program, the worker has a folder of its own, with its libraries in its own versions.
/// </summary>
internal static class WorkerExecutable
{
    /// <summary>The worker's folder beside another program; its package's build files lay it there.</summary>
    public const string FolderName = "distributed-worker";

    private const string Assembly = "worker.dll";
    private static readonly string Executable = OperatingSystem.IsWindows() ? "worker.exe" : "worker";

    /// <summary>The runtime that runs this process; null if the process brings its own.</summary>
    private static readonly string? Runtime = RuntimeOf(RuntimeEnvironment.GetRuntimeDirectory());

    private static readonly IReadOnlyList<string> Command = CommandIn(AppContext.BaseDirectory);

    private static readonly IReadOnlyList<(string Name, string Value)> Variables =
    [
        // What a socket has received is handled where it is noticed: a tenth less processor time per step than a hand-over to a pool
        // thread.
        ("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1"),
        // The worker runs on the runtime that runs the coordinator, wherever that is installed.
        .. Runtime is null ? [] : new[] { ("DOTNET_ROOT", Runtime) },
    ];

    /// <summary>How to start it, with all its standard streams redirected.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="token">The run's token; null in an insecure run, or if it gets it otherwise.</param>
    public static ProcessStartInfo StartInfo(IEnumerable<string> arguments, RunToken? token)
    {
        var start = Redirected([.. Command, .. arguments]);
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
        var start = Redirected([.. launcher, machine, "env", .. environment, .. Command, .. arguments]);
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
                start.FileName != Command[0]
                        ? $"{start.FileName} cannot be started ({exception.Message}); name a command that is on the path"
                    : Command.Count > 1
                        ? $"the .NET runtime that runs the worker cannot be started ({exception.Message}); install it, with ASP.NET Core, on this machine"
                    : $"the worker {string.Join(' ', Command)} cannot be started ({exception.Message}); "
                        + "it belongs beside the coordinator, so build or publish both together",
                exception
            );
        }
    }

    /// <summary>The words that start the worker of a program in a folder; where there is none, those that would have.</summary>
    internal static IReadOnlyList<string> CommandIn(string folder)
    {
        var assembly = Path.Combine(folder, FolderName, Assembly);
        if (!File.Exists(assembly)) // one that is there wins: another program may well have a worker of its own
        {
            var executable = Path.Combine(folder, Executable);
            assembly = Path.Combine(folder, Assembly);
            if (File.Exists(executable) || !File.Exists(assembly))
                return [executable];
        }

        var host = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        return [Runtime is null ? host : Path.Combine(Runtime, host), assembly];
    }

    /// <summary>The installation of a framework's folder, which holds it under shared/NAME/VERSION; null if it is a program's own.</summary>
    internal static string? RuntimeOf(string frameworkFolder)
    {
        var root = Path.GetFullPath(Path.Combine(frameworkFolder, "..", "..", ".."));
        return Directory.Exists(Path.Combine(root, "host", "fxr")) ? root : null;
    }

    private static ProcessStartInfo Redirected(IReadOnlyList<string> command) =>
        new(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
}
