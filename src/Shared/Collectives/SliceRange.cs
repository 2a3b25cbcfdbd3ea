namespace Distributed.Collectives;

/// <summary>The contiguous slices of a vector, one for each owner: a pure function.</summary>
internal static class SliceRange
{
    /// <summary>Slices start at multiples of this many elements: one 64-byte line of single-precision numbers.</summary>
    public const int Alignment = 16;

    /// <summary>The slice of a vector that one owner reduces.</summary>
    /// <param name="length">The vector's length in elements.</param>
    /// <param name="owners">The number of owners, at least 1.</param>
    /// <param name="rank">The owner, from 0.</param>
    /// <returns>The range [Start, End), empty for some owners of a short vector.</returns>
    public static (int Start, int End) Of(int length, int owners, int rank)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(owners);
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, owners);
        long lines = (length + Alignment - 1) / Alignment;
        return (Bound(rank), Bound(rank + 1));

        int Bound(long index) => (int)Math.Min(length, lines * index / owners * Alignment);
    }
}
