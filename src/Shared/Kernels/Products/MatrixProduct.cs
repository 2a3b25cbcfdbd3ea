using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Products;

/// <summary>
/// Single precision matrix products whose every output element is one chain of fused multiply-adds, from +0, in ascending order of the
/// inner index, so that its bits depend on nothing but the operands: not on tiles, blocks, threads or the width of the machine's vectors.
/// </summary>
internal static unsafe class MatrixProduct
{
    /// <summary>
    /// destination[rows, columns] = left[rows, inner] . right[inner, columns], then the epilogue; the destination is overwritten.
    /// </summary>
    /// <param name="left">[rows, inner], row-major.</param>
    /// <param name="rows">Rows of the left operand; zero is allowed.</param>
    /// <param name="right">[inner, columns], row-major.</param>
    /// <param name="inner">Columns of the left operand and rows of the right one: the length of each chain, at least one.</param>
    /// <param name="columns">Columns of the right operand, at least one.</param>
    /// <param name="destination">[rows, columns], row-major; may not overlap the operands.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <param name="epilogue">What to do with the product's elements.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape.</exception>
    public static void Multiply(
        ReadOnlySpan<float> left,
        int rows,
        ReadOnlySpan<float> right,
        int inner,
        int columns,
        Span<float> destination,
        ComputeTeam team,
        Epilogue epilogue = default
    )
    {
        CheckLength(right.Length, inner, columns, nameof(right));
        Multiply(left, rows, right, inner, columns, RightLayout.RowMajor, destination, team, epilogue);
    }

    /// <summary>
    /// destination[rows, columns] = left[rows, inner] . right[columns, inner]^T, then the epilogue: the product of samples with a dense
    /// layer's weights in PyTorch's layout. Otherwise as
    /// <see cref="Multiply(ReadOnlySpan{float}, int, ReadOnlySpan{float}, int, int, Span{float}, ComputeTeam, Epilogue)"/>.
    /// </summary>
    /// <param name="left">[rows, inner], row-major.</param>
    /// <param name="rows">Rows of the left operand; zero is allowed.</param>
    /// <param name="right">[columns, inner], row-major.</param>
    /// <param name="inner">Columns of both operands: the length of each chain, at least one.</param>
    /// <param name="columns">Rows of the right operand, at least one.</param>
    /// <param name="destination">[rows, columns], row-major; may not overlap the operands.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <param name="epilogue">What to do with the product's elements.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape.</exception>
    public static void MultiplyTransposed(
        ReadOnlySpan<float> left,
        int rows,
        ReadOnlySpan<float> right,
        int inner,
        int columns,
        Span<float> destination,
        ComputeTeam team,
        Epilogue epilogue = default
    )
    {
        CheckLength(right.Length, inner, columns, nameof(right));
        Multiply(left, rows, right, inner, columns, RightLayout.Transposed, destination, team, epilogue);
    }

    /// <summary>Floats of a packed right operand.</summary>
    /// <param name="inner">The length of each chain.</param>
    /// <param name="columns">Its columns.</param>
    public static long PackedLength(int inner, int columns) =>
        (columns + RegisterTile.PanelColumns - 1L) / RegisterTile.PanelColumns * RegisterTile.PanelColumns * inner;

    /// <summary>
    /// Packs a right operand for any number of products: a product of few rows otherwise spends most of its time on turning it round.
    /// </summary>
    /// <param name="right">[columns, inner], row-major.</param>
    /// <param name="inner">The length of each chain, at least one.</param>
    /// <param name="columns">At least one.</param>
    /// <param name="packed">[<see cref="PackedLength"/>]; overwritten, in the order of <see cref="RightLayout.Packed"/>.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape.</exception>
    public static void PackTransposed(ReadOnlySpan<float> right, int inner, int columns, Span<float> packed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inner, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        CheckLength(right.Length, inner, columns, nameof(right));
        CheckPacked(packed.Length, inner, columns, nameof(packed));
        fixed (
            float* source = right,
                destination = packed
        )
        {
            for (nint column = 0; column < columns; column += RegisterTile.PanelColumns)
            {
                var width = Math.Min(RegisterTile.PanelColumns, columns - (int)column);
                PanelPacking.Transpose(
                    source + (column * inner),
                    inner,
                    width,
                    inner,
                    destination + (column * inner),
                    RegisterTile.PanelColumns
                );
            }
        }
    }

    /// <summary>As <see cref="MultiplyTransposed"/>, to the same bits, with a right operand that was packed before.</summary>
    /// <param name="left">[rows, inner], row-major.</param>
    /// <param name="rows">Rows of the left operand; zero is allowed.</param>
    /// <param name="packed">What <see cref="PackTransposed"/> has written.</param>
    /// <param name="inner">The length of each chain, at least one.</param>
    /// <param name="columns">Columns of the destination, at least one.</param>
    /// <param name="destination">[rows, columns], row-major; may not overlap the operands.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <param name="epilogue">What to do with the product's elements.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape.</exception>
    public static void MultiplyPacked(
        ReadOnlySpan<float> left,
        int rows,
        ReadOnlySpan<float> packed,
        int inner,
        int columns,
        Span<float> destination,
        ComputeTeam team,
        Epilogue epilogue = default
    )
    {
        CheckPacked(packed.Length, inner, columns, nameof(packed));
        Multiply(left, rows, packed, inner, columns, RightLayout.Packed, destination, team, epilogue);
    }

    /// <summary>
    /// destination[m, n] = the sum over the rows of left^T . right: a chain inside each microbatch, and across microbatches the binary tree
    /// over their indices padded to a power of two, in which an absent right child passes its left sibling through. The destination is
    /// overwritten.
    /// </summary>
    /// <param name="left">[rows, m], row-major.</param>
    /// <param name="m">Columns of the left operand and rows of the destination.</param>
    /// <param name="right">[rows, n], row-major.</param>
    /// <param name="n">Columns of the right operand and of the destination.</param>
    /// <param name="rows">The rows summed over; none gives +0 everywhere.</param>
    /// <param name="microbatch">Rows of a microbatch, counted from row 0; the last may be short.</param>
    /// <param name="destination">[m, n], row-major; may not overlap the operands.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">
    /// A length does not fit the shape, or there are more rows than can be packed in one array.
    /// </exception>
    public static void TransposedProduct(
        ReadOnlySpan<float> left,
        int m,
        ReadOnlySpan<float> right,
        int n,
        int rows,
        int microbatch,
        Span<float> destination,
        ComputeTeam team
    ) => TransposedProductRows(left, m, 0..m, right, n, rows, microbatch, destination, team);

    /// <summary>Some rows of the destination of <see cref="TransposedProduct"/>.</summary>
    /// <param name="left">[rows, m], row-major.</param>
    /// <param name="m">Columns of the left operand.</param>
    /// <param name="columns">Those columns of the left operand that are the rows of the destination.</param>
    /// <param name="right">[rows, n], row-major.</param>
    /// <param name="n">Columns of the right operand and of the destination.</param>
    /// <param name="rows">The rows summed over; none gives +0 everywhere.</param>
    /// <param name="microbatch">Rows of a microbatch, counted from row 0; the last may be short.</param>
    /// <param name="destination">[length of the range, n], row-major; may not overlap the operands.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">
    /// A length does not fit the shape, or there are more rows than can be packed in one array.
    /// </exception>
    internal static void TransposedProductRows(
        ReadOnlySpan<float> left,
        int m,
        Range columns,
        ReadOnlySpan<float> right,
        int n,
        int rows,
        int microbatch,
        Span<float> destination,
        ComputeTeam team
    )
    {
        var (first, count) = columns.GetOffsetAndLength(m);
        ArgumentOutOfRangeException.ThrowIfLessThan(microbatch, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        CheckLength(left.Length, rows, m, nameof(left));
        CheckLength(right.Length, rows, n, nameof(right));
        CheckLength(destination.Length, count, n, nameof(destination));
        if (rows == 0)
        {
            destination.Clear();
            return;
        }

        var length = ScratchLength(n, rows, team.Threads);
        var scratch = team.Scratch(length);
        fixed (
            float* a = left,
                b = right,
                c = destination
        )
        {
            var work = new TransposedProductWork(a + first, m, count, b, n, rows, microbatch, c, scratch, length);
            team.Run(VectorizedWork.Of(work));
        }

        GC.KeepAlive(team);
    }

    private static void Multiply(
        ReadOnlySpan<float> left,
        int rows,
        ReadOnlySpan<float> right,
        int inner,
        int columns,
        RightLayout layout,
        Span<float> destination,
        ComputeTeam team,
        Epilogue epilogue
    )
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(inner, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        CheckLength(left.Length, rows, inner, nameof(left));
        CheckLength(destination.Length, rows, columns, nameof(destination));
        epilogue.Check(rows, columns);
        var scratch = team.Scratch(MultiplyWork.ScratchLength(rows, inner, columns));
        fixed (
            float* a = left,
                b = right,
                c = destination,
                operand = epilogue.Operand
        )
        {
            var factor = new RightOperand(b, inner, columns, layout);
            team.Run(VectorizedWork.Of(new MultiplyWork(a, rows, factor, c, epilogue.Bind(operand, columns), scratch)));
        }

        GC.KeepAlive(team);
    }

    private static int ScratchLength(int n, int rows, int threads)
    {
        var length = TransposedProductWork.ScratchLength(n, rows);
        if (length * threads > AlignedBuffer.MaxLength)
        {
            throw new ArgumentException(
                $"{rows} rows are too many to pack at once for {threads} threads: sum over fewer at a time.",
                nameof(rows)
            );
        }

        return (int)length;
    }

    private static void CheckPacked(int length, int inner, int columns, string name)
    {
        if (length != PackedLength(inner, columns))
            throw new ArgumentException($"{inner} x {columns} packed have {PackedLength(inner, columns)} elements, not {length}.", name);
    }

    private static void CheckLength(int length, int rows, int columns, string name)
    {
        if (length != (long)rows * columns)
            throw new ArgumentException($"A matrix of {rows} x {columns} has {(long)rows * columns} elements, not {length}.", name);
    }
}
