using System.Diagnostics;

namespace Distributed.Collectives.Transports.SharedMemory;

/// <summary>
/// How a member waits for the counters of its peers: where every thread of the view's members on this host has a processor of its own, it
/// spins for a while, then sleeps on its own signal, which peers ring after they have raised a counter. One thread at a time waits.
/// </summary>
/// <param name="signal">This member's signal.</param>
internal sealed class CounterWait(SharedSignal signal)
{
    /// <summary>
    /// How long to spin before sleeping: 1 ms. Waking a sleeper takes up to 0.3 ms on a virtual machine, which makes it late for the
    /// next bucket, so that the others sleep in their turn: with 50 microseconds, two workers now and then fell into a rhythm of sleeping
    /// and waking that took four times as long as the exchange, and stayed in it.
    /// </summary>
    private static readonly long SpinTicks = Stopwatch.Frequency / 1_000;

    /// <summary>How long to spin before yielding the processor between polls: 50 microseconds.</summary>
    private static readonly long BusyTicks = Stopwatch.Frequency / 20_000;

    private Exception? _failure;

    /// <summary>Whether to spin before sleeping.</summary>
    public bool Spins { get; set; }

    /// <summary>Fails all present and future waits; the first failure wins. Any thread may call it.</summary>
    public void Fail(Exception failure)
    {
        Interlocked.CompareExchange(ref _failure, failure, null);
        signal.Ring();
    }

    /// <summary>Blocks until a counter has a value or more.</summary>
    /// <exception cref="Exception">The failure that was reported.</exception>
    public void Until(SharedCounter counter, long value, CancellationToken cancellationToken)
    {
        if (counter.Value < value && !(Spins && Spin(counter, value)))
            SleepUntil(counter, value, cancellationToken);
    }

    private static bool Spin(SharedCounter counter, long value)
    {
        var start = Stopwatch.GetTimestamp();
        while (counter.Value < value)
        {
            var elapsed = Stopwatch.GetTimestamp() - start;
            if (elapsed >= SpinTicks)
                return false;
            if (elapsed < BusyTicks)
                Thread.SpinWait(1);
            else
                Thread.Yield();
        }

        return true;
    }

    private void SleepUntil(SharedCounter counter, long value, CancellationToken cancellationToken)
    {
        using var cancellation = cancellationToken.UnsafeRegister(static wait => ((CounterWait)wait!).Wake(), this);
        try
        {
            for (var rings = signal.Announce(); counter.Value < value; rings = signal.Announce())
            {
                if (Volatile.Read(ref _failure) is { } failure)
                    throw failure;
                cancellationToken.ThrowIfCancellationRequested();
                signal.Sleep(rings);
            }
        }
        finally
        {
            signal.Withdraw();
        }
    }

    private void Wake() => signal.Ring();
}
