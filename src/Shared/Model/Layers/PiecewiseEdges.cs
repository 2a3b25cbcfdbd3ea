using System.Runtime.InteropServices;

namespace Distributed.Model.Layers;

/// <summary>What the edges of a column's bins are quantiles of.</summary>
internal enum PiecewiseOver
{
    /// <summary>The distinct values: a value that most rows have is one edge among others.</summary>
    Values = 0,

    /// <summary>The rows: each bin has about as many of them.</summary>
    Rows,

    /// <summary>
    /// Half of the bins each: fine where most rows are, and not blind where few are. Of the two tables of the benchmark, one is learnt better
    /// over values, since a column is 92 % zeros, and the other over rows, since most of its rows lie in a few places.
    /// </summary>
    Both,
}

/// <summary>Chooses the edges of a column's bins. They are values of the column, so that no rounding is involved.</summary>
internal static class PiecewiseEdges
{
    /// <summary>The edges: quantiles from the smallest to the largest value, those that coincide taken once.</summary>
    /// <param name="values">The column's values, finite, at least one, in any order, which does not matter; overwritten.</param>
    /// <param name="bins">The most bins, at least 1.</param>
    /// <param name="over">What the quantiles are taken of.</param>
    /// <returns>Two edges or more, ascending. The bin of a column of one value begins there and has a width of 1.</returns>
    internal static float[] Of(Span<float> values, int bins, PiecewiseOver over)
    {
        // -0 and +0 are the same value, and sorting leaves them in any order: which of them is an edge must not depend on that.
        foreach (ref var value in values)
            value += 0f;
        values.Sort();
        List<float> edges = [];
        var ofRows = over switch
        {
            PiecewiseOver.Values => 0,
            PiecewiseOver.Rows => bins,
            _ => bins / 2,
        };
        AddQuantiles(edges, values, ofRows);
        AddQuantiles(edges, Distinct(values), bins - ofRows);
        edges.Sort();
        var count = Distinct(CollectionsMarshal.AsSpan(edges)).Length;
        return count > 1 ? [.. edges.Take(count)] : FromSingle(edges[0]);
    }

    private static void AddQuantiles(List<float> edges, ReadOnlySpan<float> sorted, int bins)
    {
        for (var i = 0; i <= bins && bins > 0; i++)
            edges.Add(sorted[(int)((long)i * (sorted.Length - 1) / bins)]);
    }

    /// <summary>Moves the distinct values of a sorted span to its beginning.</summary>
    private static Span<float> Distinct(Span<float> sorted)
    {
        var count = 1;
        foreach (var value in sorted)
        {
            if (value > sorted[count - 1])
                sorted[count++] = value;
        }

        return sorted[..count];
    }

    /// <summary>A width of 1, or the smallest where numbers are so large that 1 does not change them.</summary>
    private static float[] FromSingle(float value)
    {
        var upper = Math.Max(value + 1, MathF.BitIncrement(value));
        return float.IsFinite(upper) ? [value, upper] : [MathF.BitDecrement(value), value];
    }
}
