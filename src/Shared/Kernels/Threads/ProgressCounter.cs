namespace Distributed.Kernels.Threads;

/// <summary>
/// Rises as long as a computation goes on: counted wherever it looks whether it has been stopped, at every layer of every microbatch.
/// Whoever sees the same number twice knows that nothing was done between.
/// </summary>
internal sealed class ProgressCounter
{
    private long _value;

    /// <summary>The number; any thread may read it.</summary>
    public long Value => Volatile.Read(ref _value);

    /// <summary>Something was done. Threads that count at the same moment may count once: only that it changes matters.</summary>
    public void Advance() => Volatile.Write(ref _value, _value + 1);
}
