using System.Diagnostics;

namespace Distributed.Worker.Computing;

/// <summary>This process's monotonic clock, as it is told to the coordinator, which knows how far it differs from its own.</summary>
internal static class LocalClock
{
    /// <summary>A timestamp in microseconds.</summary>
    /// <param name="timestamp">As <see cref="Stopwatch.GetTimestamp"/> says.</param>
    public static ulong Microseconds(long timestamp) => (ulong)Stopwatch.GetElapsedTime(0, timestamp).TotalMicroseconds;
}
