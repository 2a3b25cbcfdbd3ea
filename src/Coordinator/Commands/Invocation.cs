namespace Distributed.Coordinator.Commands;

/// <summary>This program's name as a suggested command needs it, to be pasted into the same shell.</summary>
internal static class Invocation
{
    private const string Name = "coordinator";

    /// <summary>The plain name if the shell finds it, else the shortest path.</summary>
    internal static string Program { get; } = Find();

    private static string Find()
    {
        var process = Environment.ProcessPath;
        if (process is null || Path.GetFileNameWithoutExtension(process) != Name || IsOnPath(process))
            return Name;
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, process);
        return relative.Length < process.Length ? relative : process;
    }

    private static bool IsOnPath(string process) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Contains(Path.GetDirectoryName(process));
}
