using System.Runtime.CompilerServices;

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

    /// <summary>
    /// Computes a tile of <paramref name="rows"/> x <paramref name="columns"/>, in whole vectors. What would stick out of the destination goes by
    /// way of <paramref name="spill"/>, one slot of <see cref="RegisterTile.SlotLength"/> floats.
    /// </summary>
    public static void Compute<TLanes, TVector>(ref TileOperands operands, int rows, int columns, float* spill)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        bool wide = columns > TLanes.Count;
        if (rows == TileRows(rows) && columns == (wide ? 2 : 1) * TLanes.Count)
        {
            Dispatch<TLanes, TVector>(operands, rows, wide);
            return;
        }

        TileOperands inside = operands;
        inside.Destination = spill;
        inside.Stride = PackedMatrix.PanelColumns;
        if (operands.Resume)
            Copy(operands.Destination, operands.Stride, spill, PackedMatrix.PanelColumns, rows, columns);
        Dispatch<TLanes, TVector>(inside, TileRows(rows), wide);
        Copy(spill, PackedMatrix.PanelColumns, operands.Destination, operands.Stride, rows, columns);
    }

    private static void Copy(float* source, nint sourceStride, float* destination, nint destinationStride, int rows, int columns)
    {
        for (int row = 0; row < rows; row++, source += sourceStride, destination += destinationStride)
            new ReadOnlySpan<float>(source, columns).CopyTo(new Span<float>(destination, columns));
    }

    private static void Dispatch<TLanes, TVector>(in TileOperands operands, int rows, bool wide)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        if (wide)
            Dispatch<TLanes, TVector, Two>(operands, rows);
        else
            Dispatch<TLanes, TVector, One>(operands, rows);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Dispatch<TLanes, TVector, TVectors>(in TileOperands operands, int rows)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
        where TVectors : struct, IConstant
    {
        switch (rows)
        {
            case 12: RegisterTile.Compute<TLanes, TVector, Twelve, TVectors>(operands); break;
            case 10: RegisterTile.Compute<TLanes, TVector, Ten, TVectors>(operands); break;
            case 8: RegisterTile.Compute<TLanes, TVector, Eight, TVectors>(operands); break;
            case 6: RegisterTile.Compute<TLanes, TVector, Six, TVectors>(operands); break;
            case 4: RegisterTile.Compute<TLanes, TVector, Four, TVectors>(operands); break;
            default: RegisterTile.Compute<TLanes, TVector, Two, TVectors>(operands); break;
        }
    }
}
