namespace Distributed.Coordinator.Commands;

/// <summary>This program's name as a suggested command needs it, to be pasted into the same shell.</summary>
internal static class Invocation
{
    private const string Name = "coordinator";

    /// <summary>The plain name if the shell finds it, else the shortest path.</summary>
    internal static string Program { get; } = Find();

    /// <summary>
    /// Whether a command can be suggested at all: in a container, the program is run by another one outside, with arguments of its own.
    /// </summary>
    internal static bool CanSuggest { get; } = Environment.GetEnvironmentVariable("DOTNET_RUNNING_IN_CONTAINER") is not ("true" or "1");

    /// <summary>A text as an argument, which a shell takes for nothing else.</summary>
    internal static string Argument(string text) =>
        text.Length > 0 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || "-_./:,+=@%".Contains(letter, StringComparison.Ordinal))
            ? text
            : $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string Find()
    {
        var process = Environment.ProcessPath;
        if (process is null || Path.GetFileNameWithoutExtension(process) != Name || IsOnPath(process))
            return Name;
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, process);
        return Argument(relative.Length < process.Length ? relative : process);
    }

    private static bool IsOnPath(string process) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Contains(Path.GetDirectoryName(process));
}
