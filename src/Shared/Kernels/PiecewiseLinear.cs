using System.Runtime.CompilerServices;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>
/// The piecewise-linear encoding of numbers (Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical features in tabular
/// deep learning", 2022, section 3.2): a number becomes one value for each bin of its column, 0 where it lies below the bin, 1 where it
/// lies above, and in between how far it has come from the lower edge to the upper one. The first bin has no end below and the last none
/// above, so that no number loses its place.
/// </summary>
/// <remarks>
/// A value is min(max((x - lower) / width, floor), ceiling), with 0 and 1 or infinities as limits. Rounding keeps the order of numbers, so
/// that at the upper edge the quotient is that of equal numbers, exactly 1, above it no less, and below the lower edge not positive.
/// </remarks>
internal static unsafe class PiecewiseLinear
{
    /// <summary>Encodes the first values of each row, and copies what follows them.</summary>
    /// <param name="input">[rows, numbers and other values].</param>
    /// <param name="inputLength">Values of a row.</param>
    /// <param name="bins">The bins of the numbers.</param>
    /// <param name="output">[rows, bins and other values]; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A length does not fit.</exception>
    public static void Encode(ReadOnlySpan<float> input, int inputLength, PiecewiseBins bins, Span<float> output, ComputeTeam team)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputLength, bins.Columns);
        var (rows, rest) = int.DivRem(input.Length, inputLength);
        var others = inputLength - bins.Columns;
        if (rest != 0 || output.Length != rows * ((long)bins.Count + others))
        {
            throw new ArgumentException(
                $"{input.Length} inputs and {output.Length} outputs are not rows of {inputLength} and of {bins.Count + others}"
            );
        }

        fixed (int* counts = bins.Counts)
        fixed (
            float* x = input,
                lower = bins.Lower,
                width = bins.Width,
                floor = bins.Floor,
                ceiling = bins.Ceiling,
                y = output
        )
        {
            PiecewiseWork work = new(x, bins.Columns, others, counts, bins.Count, new BinOperands(lower, width, floor, ceiling), y);
            VectorizedWork.Run(work, rows, output.Length, team);
        }
    }
}

/// <summary>The bins of some columns, one column after the other. Immutable.</summary>
internal sealed class PiecewiseBins
{
    private readonly int[] _counts;
    private readonly float[] _lower;
    private readonly float[] _width;
    private readonly float[] _floor;
    private readonly float[] _ceiling;

    /// <summary>Makes bins from their edges.</summary>
    /// <param name="edges">Of each column, at least one: the edges of its bins, at least two, ascending.</param>
    /// <exception cref="ArgumentException">There is no column, or one has no bin.</exception>
    public PiecewiseBins(IReadOnlyList<IReadOnlyList<float>> edges)
    {
        if (edges.Count == 0 || edges.Any(column => column.Count < 2))
            throw new ArgumentException("a bin needs two edges", nameof(edges));
        _counts = [.. edges.Select(column => column.Count - 1)];
        _lower = [.. edges.SelectMany(column => column.SkipLast(1))];
        _width = [.. edges.SelectMany(column => column.Skip(1).Zip(column, (upper, lower) => upper - lower))];
        _floor = [.. _counts.SelectMany(count => Enumerable.Repeat(0f, count - 1).Prepend(float.NegativeInfinity))];
        _ceiling = [.. _counts.SelectMany(count => Enumerable.Repeat(1f, count - 1).Append(float.PositiveInfinity))];
    }

    /// <summary>Number of columns.</summary>
    public int Columns => _counts.Length;

    /// <summary>Bins of all columns.</summary>
    public int Count => _lower.Length;

    /// <summary>[columns], the number of each one's bins.</summary>
    public ReadOnlySpan<int> Counts => _counts;

    /// <summary>[bins], the lower edges.</summary>
    public ReadOnlySpan<float> Lower => _lower;

    /// <summary>[bins], from the lower edges to the upper ones.</summary>
    public ReadOnlySpan<float> Width => _width;

    /// <summary>[bins], the least values: 0, or negative infinity in a column's first bin.</summary>
    public ReadOnlySpan<float> Floor => _floor;

    /// <summary>[bins], the largest values: 1, or infinity in a column's last bin.</summary>
    public ReadOnlySpan<float> Ceiling => _ceiling;
}

/// <summary>The bins, as the kernel's inner loop takes them; all are [bins].</summary>
internal readonly unsafe struct BinOperands(float* lower, float* width, float* floor, float* ceiling)
{
    public float* Lower => lower;

    public float* Width => width;

    public float* Floor => floor;

    public float* Ceiling => ceiling;
}

/// <summary>Puts each number into the places of its bins, and then treats all bins of a row as one vector: columns can be short.</summary>
internal readonly unsafe struct PiecewiseWork(
    float* input,
    int columns,
    int others,
    int* counts,
    int binCount,
    BinOperands bins,
    float* output
) : IVectorizedRange
{
    public void Execute<TLanes, TVector>(int start, int end)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (var row = start; row < end; row++)
        {
            var x = input + ((nint)row * (columns + others));
            var y = output + ((nint)row * (binCount + others));
            var place = y;
            for (var column = 0; column < columns; place += counts[column], column++)
                new Span<float>(place, counts[column]).Fill(x[column]);
            new Elementwise.Loop<Encoding>(new Encoding(y, bins)).Execute<TLanes, TVector>(0, binCount);
            new ReadOnlySpan<float>(x + columns, others).CopyTo(new Span<float>(place, others));
        }
    }

    /// <summary>Replaces a number by the value of its bin. NaN stays NaN: it is never greater.</summary>
    private readonly struct Encoding(float* values, BinOperands bins) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            TVector floor = TLanes.Load(bins.Floor + index),
                ceiling = TLanes.Load(bins.Ceiling + index);
            var distance = TLanes.Subtract(TLanes.Load(values + index), TLanes.Load(bins.Lower + index));
            var value = TLanes.Divide(distance, TLanes.Load(bins.Width + index));
            value = TLanes.SelectGreater(floor, value, floor, value);
            TLanes.Store(TLanes.SelectGreater(value, ceiling, ceiling, value), values + index);
        }
    }
}
