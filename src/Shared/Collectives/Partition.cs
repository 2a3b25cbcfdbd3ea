namespace Distributed.Collectives;

/// <summary>Contiguous shares of a whole, as pure functions: who computes which microbatches, and who owns which slice.</summary>
public static class Partition
{
    /// <summary>Slices start at multiples of this many elements: one 64-byte line of single-precision numbers.</summary>
    public const int SliceAlignment = 16;

    /// <summary>Equal shares of a step's microbatches.</summary>
    /// <param name="workers">The number of workers, at least 1.</param>
    public static IReadOnlyList<int> EqualShares(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workers);
        return [.. Enumerable.Repeat(1, workers)];
    }

    /// <summary>
    /// The microbatches of one worker, in proportion to its share. With equal shares, sizes differ by one at most; with more workers
    /// than microbatches some are empty.
    /// </summary>
    /// <param name="microbatches">The number of microbatches in the step.</param>
    /// <param name="shares">The shares of all workers in order of rank, none negative, and one at least positive.</param>
    /// <param name="rank">The worker, from 0.</param>
    /// <returns>The range [Start, End).</returns>
    public static (int Start, int End) Microbatches(int microbatches, IReadOnlyList<int> shares, int rank)
    {
        ArgumentNullException.ThrowIfNull(shares);
        Check(shares.Count, rank);
        long before = 0,
            whole = 0;
        for (var i = 0; i < shares.Count; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(shares[i], nameof(shares));
            before += i < rank ? shares[i] : 0;
            whole += shares[i];
        }

        ArgumentOutOfRangeException.ThrowIfZero(whole, nameof(shares));
        return (Cut(microbatches, whole, before), Cut(microbatches, whole, before + shares[rank]));
    }

    /// <summary>The slice of a vector that one owner reduces.</summary>
    /// <param name="length">The vector's length in elements.</param>
    /// <param name="owners">The number of owners, at least 1.</param>
    /// <param name="rank">The owner, from 0.</param>
    /// <returns>The range [Start, End), empty for some owners of a short vector.</returns>
    public static (int Start, int End) Slice(int length, int owners, int rank)
    {
        Check(owners, rank);
        var lines = (length + SliceAlignment - 1) / SliceAlignment;
        return (
            Math.Min(length, Cut(lines, owners, rank) * SliceAlignment),
            Math.Min(length, Cut(lines, owners, rank + 1) * SliceAlignment)
        );
    }

    private static int Cut(int whole, long parts, long index) => (int)(whole * index / parts);

    private static void Check(int parts, int rank)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(parts);
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, parts);
    }
}
