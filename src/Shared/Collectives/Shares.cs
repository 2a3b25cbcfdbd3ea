namespace Distributed.Collectives;

/// <summary>The workers' shares of a step's microbatches, and the contiguous ranges that follow from them: pure functions.</summary>
internal static class Shares
{
    /// <summary>Equal shares.</summary>
    /// <param name="workers">The number of workers, at least 1.</param>
    public static IReadOnlyList<int> Equal(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(workers);
        return [.. Enumerable.Repeat(1, workers)];
    }

    /// <summary>
    /// The microbatches of one worker, in proportion to its share. With equal shares, sizes differ by at most one; with more workers
    /// than microbatches some are empty.
    /// </summary>
    /// <param name="microbatches">The number of microbatches in the step.</param>
    /// <param name="shares">The shares of all workers in order of rank, none negative, and at least one positive.</param>
    /// <param name="rank">The worker, from 0.</param>
    /// <returns>The range [Start, End).</returns>
    public static (int Start, int End) RangeOf(int microbatches, IReadOnlyList<int> shares, int rank)
    {
        ArgumentNullException.ThrowIfNull(shares);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shares.Count, nameof(shares));
        ArgumentOutOfRangeException.ThrowIfNegative(rank);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(rank, shares.Count);
        long before = 0,
            whole = 0;
        for (var i = 0; i < shares.Count; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(shares[i], nameof(shares));
            before += i < rank ? shares[i] : 0;
            whole += shares[i];
        }

        ArgumentOutOfRangeException.ThrowIfZero(whole, nameof(shares));
        return ((int)(microbatches * before / whole), (int)(microbatches * (before + shares[rank]) / whole));
    }
}
