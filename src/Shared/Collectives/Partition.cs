namespace Distributed.Collectives;

/// <summary>Contiguous shares of a whole, as pure functions: who computes which microbatches, and who owns which slice.</summary>
public static class Partition
{
    /// <summary>Slices start at multiples of this many elements: one 64-byte line of single-precision numbers.</summary>
    public const int SliceAlignment = 16;

    /// <summary>The microbatches of one worker. Sizes differ by one at most; with more workers than microbatches some are empty.</summary>
    /// <param name="microbatches">The number of microbatches in the step.</param>
    /// <param name="workers">The number of workers, at least 1.</param>
    /// <param name="rank">The worker, from 0.</param>
    /// <returns>The range [Start, End).</returns>
    public static (int Start, int End) Microbatches(int microbatches, int workers, int rank)
    {
        Check(workers, rank);
        return (Cut(microbatches, workers, rank), Cut(microbatches, workers, rank + 1));
    }

    /// <summary>The slice of a flat vector that one owner reduces.</summary>
    /// <param name="length">The vector's length in elements.</param>
    /// <param name="owners">The number of owners, at least 1.</param>
    /// <param name="rank">The owner, from 0.</param>
    /// <returns>The range [Start, End), empty for the last owners of a short vector.</returns>
    public static (int Start, int End) Slice(int length, int owners, int rank)
    {
        Check(owners, rank);
        var lines = (length + SliceAlignment - 1) / SliceAlignment;
        return (Math.Min(length, Cut(lines, owners, rank) * SliceAlignment), Math.Min(length, Cut(lines, owners, rank + 1) * SliceAlignment));
    }

    private static int Cut(int whole, int parts, int index) => (int)((long)whole * index / parts);

    private static void Check(int parts, int rank)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(parts);
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, parts);
    }
}
