using System.Numerics;

namespace Distributed.Objectives;

/// <summary>
/// Sums one number per row along the tree that all sums over samples follow: a chain from +0 over the rows of a microbatch, and
/// above it the binary tree over the indices of the microbatches padded to a power of two. An absent right child passes its
/// left sibling through: adding +0 instead would turn a sum of -0 into +0.
/// </summary>
internal static class MicrobatchSums
{
    /// <summary>Returns the sum.</summary>
    /// <param name="values">[rows], at least one.</param>
    /// <param name="microbatch">Rows of a microbatch; the last may have fewer.</param>
    internal static float Sum(ReadOnlySpan<float> values, int microbatch)
    {
        var count = ((values.Length - 1) / microbatch) + 1;
        if (count == 1)
            return Chain(values);
        var leftRows = (int)(BitOperations.RoundUpToPowerOf2((uint)count) / 2) * microbatch;
        return Sum(values[..leftRows], microbatch) + Sum(values[leftRows..], microbatch);
    }

    private static float Chain(ReadOnlySpan<float> values)
    {
        float sum = 0;
        foreach (var value in values)
            sum += value;
        return sum;
    }
}
