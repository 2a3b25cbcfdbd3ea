namespace Distributed.Collectives.Transports.SharedMemory;

/// <summary>A number in shared memory that one process raises and others read.</summary>
/// <param name="address">Where it lies: a line of its own.</param>
internal readonly unsafe struct SharedCounter(long* address)
{
    /// <summary>The number; what its writer wrote before it is seen from then on.</summary>
    public long Value => Volatile.Read(ref *address);

    /// <summary>Raises the number, after all that was written before.</summary>
    public void Publish(long value) => Volatile.Write(ref *address, value);
}

/// <summary>
/// A futex-based event on which one thread sleeps until a thread of any process has changed what it waits for. Two words in a line of
/// shared memory: how often it was rung, and whether a thread sleeps. The writer makes its change, then rings; the waiter announces
/// itself, checks once more, and only then sleeps, so that no change is missed. Without a sleeper, ringing costs no system call.
/// </summary>
/// <param name="words">The line.</param>
internal readonly unsafe struct SharedSignal(int* words)
{
    /// <summary>Whether a thread sleeps, or is about to.</summary>
    public bool HasSleeper => Volatile.Read(ref words[1]) != 0;

    /// <summary>Wakes the sleeper, if there is one.</summary>
    public void Ring()
    {
        // Publishes the change before reading the flag; the waiter sets the flag before it checks for the change.
        Interlocked.MemoryBarrier();
        if (!HasSleeper)
            return;
        Interlocked.Increment(ref words[0]);
        LinuxCalls.Wake(words);
    }

    /// <summary>Announces that this thread is about to sleep; it must check its condition once more before it does.</summary>
    /// <returns>What <see cref="Sleep"/> takes.</returns>
    public int Announce()
    {
        var rings = Volatile.Read(ref words[0]);
        Interlocked.Exchange(ref words[1], 1);
        return rings;
    }

    /// <summary>Sleeps until the signal rings, if it has not since the announcement; spurious wake-ups are possible.</summary>
    /// <param name="rings">What <see cref="Announce"/> returned.</param>
    public void Sleep(int rings) => LinuxCalls.Sleep(words, rings);

    /// <summary>Withdraws the announcement.</summary>
    public void Withdraw() => Volatile.Write(ref words[1], 0);
}
