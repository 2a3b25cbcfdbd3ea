using System.Globalization;

namespace Distributed.Coordinator.Cluster.Hosting;

/// <summary>How many processes the kernel has killed for lack of memory, by its own count.</summary>
internal static class MemoryKills
{
    private const string Key = "oom_kill ";

    /// <summary>
    /// The count of this process's control group, to which the processes that it starts belong, or of the whole machine; null where
    /// neither can be read.
    /// </summary>
    public static long? Read()
    {
        foreach (var path in FilesOf(TextOf("/proc/self/cgroup") ?? "").Append("/proc/vmstat"))
        {
            if (TextOf(path) is { } text && CountIn(text) is { } count)
                return count;
        }

        return null;
    }

    /// <summary>Where the kernel counts, for a process of some control groups: memory.events, or what it was called before version 2.</summary>
    /// <param name="groups">/proc/self/cgroup.</param>
    internal static IEnumerable<string> FilesOf(string groups)
    {
        foreach (var line in groups.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split(':', 3) is not [_, var controllers, var group])
                continue;
            // A container may see the path of its group on the host, and the group itself at the root.
            if (controllers.Length == 0)
            {
                yield return $"/sys/fs/cgroup{group.TrimEnd('/')}/memory.events";
                yield return "/sys/fs/cgroup/memory.events";
            }
            else if (controllers.Split(',').Contains("memory"))
            {
                yield return $"/sys/fs/cgroup/memory{group.TrimEnd('/')}/memory.oom_control";
                yield return "/sys/fs/cgroup/memory/memory.oom_control";
            }
        }
    }

    /// <summary>The count in one of these files; null if it has none.</summary>
    internal static long? CountIn(string text)
    {
        var line = text.Split('\n').FirstOrDefault(line => line.StartsWith(Key, StringComparison.Ordinal));
        return line is not null && long.TryParse(line.AsSpan(Key.Length), CultureInfo.InvariantCulture, out var count) ? count : null;
    }

    private static string? TextOf(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null; // another operating system, or a sandbox
        }
    }
}
