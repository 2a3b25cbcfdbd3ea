using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Products;

/// <summary>
/// Rows of a product's left operand over a block of the inner dimension, as register tiles read them: where they lie, or a copy if they lie
/// a multiple of 4 KiB apart. The lines that the twelve rows of a tile are read from at the same time would then all fall into one set of
/// the first level cache, and displace each other before they are used up: 1024^3 ran at 63 % of the peak on a core whose sets hold eight
/// lines, and runs at 92 % with the copy. At 2 KiB, where six rows share a set, a copy gains nothing.
/// </summary>
/// <param name="first">The first row's element at the block's start.</param>
/// <param name="stride">Floats from one row to the next.</param>
internal readonly unsafe struct LeftBlock(float* first, nint stride)
{
    /// <summary>
    /// The most rows that are copied at a time: 2 MiB in a block of 1,024. 1024^3 and 2048^3 are 1 to 3 % faster than with 2,048.
    /// </summary>
    public const int MaxRows = 512;

    /// <summary>
    /// Floats after which the sets of the first level cache repeat: 64 sets of a line each, in caches of 32 KiB and 8 ways as in those of
    /// 48 and 12.
    /// </summary>
    private const int SetsLength = 64 * CacheLine.Length;

    /// <summary>Rows that fit in a set beside the lines of a panel.</summary>
    private const int RowsOfSet = 6;

    /// <summary>Columns of the right operand from which on the copy is worth a pass over the rows.</summary>
    private const int MinColumns = 4 * RegisterTile.PanelColumns;

    public nint Stride => stride;

    /// <summary>Floats of scratch memory for the copy of a product's left operand, if there is one.</summary>
    public static int ScratchLength(int rows, int inner, int columns, int depth) =>
        IsCopied(rows, inner, columns) ? Math.Min(rows, MaxRows) * CopyStride(depth) : 0;

    /// <summary>Whether a product copies its left operand, [rows, inner].</summary>
    public static bool IsCopied(int rows, int inner, int columns) => rows > RowsOfSet && columns >= MinColumns && inner % SetsLength == 0;

    /// <summary>A copy that has been made.</summary>
    public static LeftBlock At(float* copy, int depth) => new(copy, CopyStride(depth));

    /// <summary>Copies the block, so that its rows lie in different sets.</summary>
    /// <param name="rows">Rows, at most <see cref="MaxRows"/>.</param>
    /// <param name="depth">Elements of a row.</param>
    /// <param name="copy">Scratch memory.</param>
    public LeftBlock Copy<TLanes, TVector>(int rows, int depth, float* copy)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var copied = At(copy, depth);
        PanelPacking.Copy<TLanes, TVector>(first, stride, rows, depth, copy, (int)copied.Stride);
        return copied;
    }

    /// <summary>The element of a row at the block's start.</summary>
    public float* Row(int row) => first + (row * stride);

    /// <summary>An odd number of lines.</summary>
    private static int CopyStride(int depth) => (((depth + CacheLine.Length - 1) / CacheLine.Length) | 1) * CacheLine.Length;
}
