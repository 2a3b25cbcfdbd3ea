namespace Distributed.Data;

/// <summary>The samples of one step, over all workers, in order, cut into microbatches.</summary>
internal readonly struct Batch
{
    private readonly int _microbatch;

    /// <summary>Cuts samples into microbatches of one size, from row 0; the last may be short.</summary>
    /// <param name="indices">[rows], which samples.</param>
    /// <param name="microbatch">Samples in a microbatch, at least 1.</param>
    internal Batch(ReadOnlyMemory<int> indices, int microbatch)
    {
        Indices = indices;
        _microbatch = microbatch;
    }

    /// <summary>A whole set in file order, as an evaluation takes it.</summary>
    /// <param name="count">Number of samples, at least 1.</param>
    /// <param name="microbatch">Samples in a microbatch, at least 1.</param>
    public static Batch All(int count, int microbatch)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(microbatch);
        return new Batch(Enumerable.Range(0, count).ToArray(), microbatch);
    }

    /// <summary>[rows], the indices of the samples in the training set.</summary>
    public ReadOnlyMemory<int> Indices { get; }

    /// <summary>Number of microbatches: the leaves of the summation tree.</summary>
    public int MicrobatchCount => Indices.IsEmpty ? 0 : CeilingDivide(Indices.Length, _microbatch);

    /// <summary>The rows of the batch that a range of microbatches covers.</summary>
    /// <param name="first">First microbatch.</param>
    /// <param name="end">The microbatch after the last; equal to <paramref name="first"/> for an empty range.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within the batch.</exception>
    public Range Rows(int first, int end)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(end, first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, MicrobatchCount);
        return Row(first)..Row(end);
    }

    internal static int CeilingDivide(int dividend, int divisor) => ((dividend - 1) / divisor) + 1;

    private int Row(int microbatch) => (int)Math.Min((long)microbatch * _microbatch, Indices.Length);
}
