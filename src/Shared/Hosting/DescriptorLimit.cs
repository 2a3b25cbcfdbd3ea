using System.Globalization;

namespace Distributed.Hosting;

/// <summary>
/// How many files this process may open. The runtime holds one or two for every library that it loads, about 200 in a coordinator, and aborts
/// without a word about it when there are no more.
/// </summary>
internal static class DescriptorLimit
{
    /// <summary>What a process needs, with room for connections.</summary>
    public const long Least = 256;

    private const string Path = "/proc/self/limits";
    private const string Name = "Max open files";

    /// <summary>Why this process cannot run, in one line with the remedy; null if it can.</summary>
    /// <remarks>To be asked first of all, while nothing else has been loaded.</remarks>
    public static string? Refusal() => File.Exists(Path) ? Refusal(File.ReadAllLines(Path)) : null;

    /// <summary>The same from the lines of the system's table of limits; the runtime raises the soft limit to the hard one by itself.</summary>
    internal static string? Refusal(IReadOnlyList<string> limits)
    {
        foreach (var line in limits)
        {
            if (!line.StartsWith(Name, StringComparison.Ordinal))
                continue;
            var hard = line[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
            return long.TryParse(hard, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit < Least
                ? $"this process may open {limit} files, and needs {Least}: raise the limit (ulimit -n {Least}, LimitNOFILE={Least}, --ulimit nofile={Least})"
                : null;
        }

        return null;
    }
}
