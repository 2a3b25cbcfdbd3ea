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
/// Where a thread of one process sleeps until another, of whatever process, has changed something that it waits for. Two words in a line of
/// shared memory: how often it was rung, and whether somebody sleeps. Whoever changes something rings afterwards; whoever waits announces
/// itself, looks once more, and only then sleeps, so that no change is missed; while nobody sleeps, ringing costs no system call.
/// </summary>
/// <param name="words">The line.</param>
internal readonly unsafe struct SharedSignal(int* words)
{
    /// <summary>Whether somebody sleeps, or is about to.</summary>
    public bool HasSleeper => Volatile.Read(ref words[1]) != 0;

    /// <summary>Wakes the sleeper, if there is one.</summary>
    public void Ring()
    {
        Interlocked.MemoryBarrier(); // what was changed is written before the look at the sleeper, who looks at it after announcing itself
        if (!HasSleeper)
            return;
        Interlocked.Increment(ref words[0]);
        LinuxCalls.Wake(words);
    }

    /// <summary>Announces that this thread is about to sleep; what it waits for must be looked at once more before it does.</summary>
    /// <returns>What <see cref="Sleep"/> takes.</returns>
    public int Announce()
    {
        var rings = Volatile.Read(ref words[0]);
        Interlocked.Exchange(ref words[1], 1);
        return rings;
    }

    /// <summary>Sleeps until the signal rings, if it has not since the announcement; may also return for no reason.</summary>
    /// <param name="rings">What <see cref="Announce"/> returned.</param>
    public void Sleep(int rings) => LinuxCalls.Sleep(words, rings);

    /// <summary>Says that nobody sleeps any more.</summary>
    public void Withdraw() => Volatile.Write(ref words[1], 0);
}
