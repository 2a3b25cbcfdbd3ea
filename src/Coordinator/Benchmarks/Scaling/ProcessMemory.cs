using System.Globalization;

namespace Distributed.Coordinator.Benchmarks.Scaling;

/// <summary>Memory of other processes, as the system reports it; on Linux only.</summary>
internal static class ProcessMemory
{
    private const string Peak = "VmHWM:";
    private const long Kibibyte = 1024;

    /// <summary>
    /// The most memory that a process has had resident so far, in bytes; pages that it shares with others count. Null if the
    /// system does not say, or the process is gone.
    /// </summary>
    /// <param name="process">Its number on this machine.</param>
    internal static long? PeakResident(int process)
    {
        try
        {
            return OperatingSystem.IsLinux()
                ? Parse(File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/status")))
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It ended between two polls.
            return null;
        }
    }

    /// <summary>
    /// Finds the figure in the text of <c>/proc/PID/status</c>, where it stands in KiB; a process that has ended has none.
    /// </summary>
    internal static long? Parse(string status)
    {
        var line = status.Split('\n').FirstOrDefault(line => line.StartsWith(Peak, StringComparison.Ordinal));
        var figure = line?[Peak.Length..].Trim().Split(' ')[0];
        return long.TryParse(figure, NumberStyles.None, CultureInfo.InvariantCulture, out var kibibytes) ? kibibytes * Kibibyte : null;
    }
}
