using System.Diagnostics;
using System.Globalization;

namespace Distributed.Benchmarks;

/// <summary>A control group of Linux whose processes get no more than some memory, the files that the system keeps for them included.</summary>
internal sealed class MemoryLimit : IDisposable
{
    private const string Version1 = "/sys/fs/cgroup/memory";
    private const string Version2 = "/sys/fs/cgroup";

    private readonly string _group;

    /// <param name="bytes">The memory of all its processes together.</param>
    public MemoryLimit(long bytes)
    {
        var isVersion1 = Directory.Exists(Version1);
        _group = Path.Combine(isVersion1 ? Version1 : Version2, $"distributed-{Guid.NewGuid():N}");
        Directory.CreateDirectory(_group);
        File.WriteAllText(
            Path.Combine(_group, isVersion1 ? "memory.limit_in_bytes" : "memory.max"),
            bytes.ToString(CultureInfo.InvariantCulture)
        );
    }

    /// <summary>The most memory that was seen to hold what is in no file, in bytes.</summary>
    public long MostAnonymous { get; private set; }

    /// <summary>Runs a process in the group to its end.</summary>
    /// <returns>What it has read from disks, in bytes, and its output.</returns>
    /// <exception cref="InvalidOperationException">It has failed.</exception>
    public (long Read, string Output) Run(string executable, IEnumerable<string> arguments)
    {
        string[] all = ["-c", $"echo $$ > {_group}/cgroup.procs; exec \"$@\"", "sh", executable, .. arguments];
        using var process = Process.Start(new ProcessStartInfo("sh", all) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        var read = 0L;
        while (!process.WaitForExit(100))
        {
            read = Math.Max(read, Figure(process.Id, "io", "read_bytes:"));
            MostAnonymous = Math.Max(MostAnonymous, 1024 * Figure(process.Id, "status", "RssAnon:"));
        }

        return process.ExitCode == 0 ? (read, output.Result) : throw new InvalidOperationException($"{executable}: {errors.Result}");
    }

    /// <summary>Forgets what the system keeps of files.</summary>
    public static void DropFileCache()
    {
        using (var sync = Process.Start("sync"))
            sync.WaitForExit();
        File.WriteAllText("/proc/sys/vm/drop_caches", "3");
    }

    public void Dispose() => Directory.Delete(_group);

    private static long Figure(int process, string file, string name)
    {
        try
        {
            return File.ReadLines($"/proc/{process}/{file}")
                .Where(line => line.StartsWith(name, StringComparison.Ordinal))
                .Select(line => long.Parse(line[name.Length..].TrimEnd('k', 'B', ' '), CultureInfo.InvariantCulture))
                .Single();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return 0; // it has just ended
        }
    }
}
