namespace Distributed.Kernels;

/// <summary>Covers a block of the destination with register tiles: the shapes that a vector width allows, and the tiles that stick out at the edges.</summary>
internal static unsafe class TileGrid
{
    /// <summary>Rows of a full tile. 512-bit machines have 32 vector registers; those with 256 bits may have 16; scalars share 16.</summary>
    public static int FullRows<TLanes, TVector>()
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.Count is 16 or 4 ? RegisterTile.MaxRows : RegisterTile.MaxRows / 2;

    /// <summary>Rows of the smallest tile that holds <paramref name="rows"/>: the next even number.</summary>
    public static int TileRows(int rows) => (rows + 1) & ~1;

    /// <summary>The kernel for tiles of an even number of rows and up to two vectors of columns.</summary>
    public static delegate*<in TileOperands, void> Kernel<TLanes, TVector>(int tileRows, int columns)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged =>
        columns > TLanes.Count ? Kernel<TLanes, TVector, Two>(tileRows) : Kernel<TLanes, TVector, One>(tileRows);

    /// <summary>
    /// Runs a kernel for a tile of <paramref name="rows"/> x <paramref name="columns"/>. If that is not the kernel's whole tile, what would stick out
    /// of the destination goes by way of <paramref name="spill"/>, a slot of <see cref="RegisterTile.SlotLength"/> floats.
    /// </summary>
    public static void Compute<TLanes, TVector>(delegate*<in TileOperands, void> kernel, ref TileOperands operands, int rows, int columns, float* spill)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        if (rows == TileRows(rows) && columns % TLanes.Count == 0)
            kernel(operands);
        else
            ComputeEdge(kernel, operands, rows, columns, spill);
    }

    private static void ComputeEdge(delegate*<in TileOperands, void> kernel, TileOperands operands, int rows, int columns, float* spill)
    {
        float* destination = operands.Destination;
        nint stride = operands.Stride;
        operands.Destination = spill;
        operands.Stride = PackedMatrix.PanelColumns;
        if (operands.Resume)
            Copy(destination, stride, spill, PackedMatrix.PanelColumns, rows, columns);
        kernel(operands);
        Copy(spill, PackedMatrix.PanelColumns, destination, stride, rows, columns);
    }

    private static void Copy(float* source, nint sourceStride, float* destination, nint destinationStride, int rows, int columns)
    {
        for (int row = 0; row < rows; row++, source += sourceStride, destination += destinationStride)
            new ReadOnlySpan<float>(source, columns).CopyTo(new Span<float>(destination, columns));
    }

    private static delegate*<in TileOperands, void> Kernel<TLanes, TVector, TVectors>(int tileRows)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TVectors : struct, IConstant => tileRows switch
        {
            12 => &RegisterTile.Compute<TLanes, TVector, Twelve, TVectors>,
            10 => &RegisterTile.Compute<TLanes, TVector, Ten, TVectors>,
            8 => &RegisterTile.Compute<TLanes, TVector, Eight, TVectors>,
            6 => &RegisterTile.Compute<TLanes, TVector, Six, TVectors>,
            4 => &RegisterTile.Compute<TLanes, TVector, Four, TVectors>,
            _ => &RegisterTile.Compute<TLanes, TVector, Two, TVectors>,
        };
}
