using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Products;

/// <summary>
/// Covers a block of the destination with register tiles: the shapes that a vector width allows, and the tiles that stick out at the edge.
/// </summary>
internal static unsafe class TileGrid
{
    /// <summary>
    /// Rows of a full tile. 512-bit machines have 32 vector registers; those with 256 bits may have 16; scalars share 16.
    /// </summary>
    public static int FullRows<TLanes, TVector>()
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.Count is 16 or 4 ? RegisterTile.MaxRows : RegisterTile.MaxRows / 2;

    /// <summary>Rows of the next tile when <paramref name="rows"/> are left: as few tiles as possible, as high as each other.</summary>
    public static int NextRows(int rows, int fullRows)
    {
        var tiles = (rows + fullRows - 1) / fullRows;
        return (rows + tiles - 1) / tiles;
    }

    /// <summary>
    /// Computes a tile of <paramref name="rows"/> x <paramref name="columns"/>, up to two vectors. Vectors that would stick out of the
    /// destination go by way of <paramref name="spill"/>, a slot of <see cref="RegisterTile.SlotLength"/> floats.
    /// </summary>
    public static void Compute<TLanes, TVector, TLeft>(ref TileOperands operands, int rows, int columns, float* spill)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TLeft : struct, ILeftOperand
    {
        var kernel = columns > TLanes.Count ? Kernel<TLanes, TVector, Two, TLeft>(rows) : Kernel<TLanes, TVector, One, TLeft>(rows);
        if (columns % TLanes.Count == 0)
            kernel(ref operands);
        else
            ComputeEdge(kernel, ref operands, rows, columns, spill);
    }

    private static void ComputeEdge(
        delegate* <ref TileOperands, void> kernel,
        ref TileOperands operands,
        int rows,
        int columns,
        float* spill
    )
    {
        var destination = operands.Destination;
        var stride = operands.Stride;
        operands.Destination = spill;
        operands.Stride = RegisterTile.PanelColumns;
        if (operands.Resume)
            Copy(destination, stride, spill, RegisterTile.PanelColumns, rows, columns);
        kernel(ref operands);
        Copy(spill, RegisterTile.PanelColumns, destination, stride, rows, columns);
        operands.Destination = destination;
        operands.Stride = stride;
    }

    private static void Copy(float* source, nint sourceStride, float* destination, nint destinationStride, int rows, int columns)
    {
        for (var row = 0; row < rows; row++, source += sourceStride, destination += destinationStride)
            new ReadOnlySpan<float>(source, columns).CopyTo(new Span<float>(destination, columns));
    }

    private static delegate* <ref TileOperands, void> Kernel<TLanes, TVector, TVectors, TLeft>(int rows)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TVectors : struct, IConstant
        where TLeft : struct, ILeftOperand =>
        rows switch
        {
            12 => &RegisterTile.Compute<TLanes, TVector, Twelve, TVectors, TLeft>,
            11 => &RegisterTile.Compute<TLanes, TVector, Eleven, TVectors, TLeft>,
            10 => &RegisterTile.Compute<TLanes, TVector, Ten, TVectors, TLeft>,
            9 => &RegisterTile.Compute<TLanes, TVector, Nine, TVectors, TLeft>,
            8 => &RegisterTile.Compute<TLanes, TVector, Eight, TVectors, TLeft>,
            7 => &RegisterTile.Compute<TLanes, TVector, Seven, TVectors, TLeft>,
            6 => &RegisterTile.Compute<TLanes, TVector, Six, TVectors, TLeft>,
            5 => &RegisterTile.Compute<TLanes, TVector, Five, TVectors, TLeft>,
            4 => &RegisterTile.Compute<TLanes, TVector, Four, TVectors, TLeft>,
            3 => &RegisterTile.Compute<TLanes, TVector, Three, TVectors, TLeft>,
            2 => &RegisterTile.Compute<TLanes, TVector, Two, TVectors, TLeft>,
            _ => &RegisterTile.Compute<TLanes, TVector, One, TVectors, TLeft>,
        };
}
