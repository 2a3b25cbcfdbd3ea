namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>When a local worker whose process has ended gets a successor: at once, unless the ones before did not get as far as joining.</summary>
internal sealed class ReplacementPolicy
{
    /// <summary>How many processes in a row may end before they have joined.</summary>
    public const int MostFailures = 5;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<int, int> _failures = []; // by local number: in a row

    /// <summary>A local worker has joined.</summary>
    /// <param name="number">Its number.</param>
    public void Joined(int number) => _failures.Remove(number);

    /// <summary>A local worker's process has ended.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="hadJoined">Whether it had joined.</param>
    /// <returns>How long its successor should wait; null if there should be none.</returns>
    public TimeSpan? Ended(int number, bool hadJoined)
    {
        if (hadJoined)
            return TimeSpan.Zero;
        var failures = _failures.GetValueOrDefault(number) + 1;
        _failures[number] = failures;
        return failures < MostFailures ? FirstDelay * (1 << (failures - 1)) : null;
    }
}
