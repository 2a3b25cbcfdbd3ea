namespace Distributed.Kernels;

/// <summary>
/// destination = left . right in blocks: a block of the left operand is packed to stay in the second level cache, a panel of the right one stays in
/// the first, and tiles are computed from both. Between blocks of the inner dimension the chains rest in the destination, which rounds nothing.
/// </summary>
internal readonly unsafe struct MultiplyWork(float* left, int rows, int inner, float* panels, int columns, float* destination, float* scratch)
    : IPartitionedWork
{
    /// <summary>Inner block: 256 rows of a panel of 32 columns take 32 KiB, two thirds of a first level cache of 48 KiB.</summary>
    private const int BlockDepth = 256;

    /// <summary>Row block: 360 rows of 256 take 360 KiB of a second level cache of 1 MiB. A multiple of all full tile heights.</summary>
    private const int BlockRows = 360;

    /// <summary>Floats of scratch memory for each part: the packed block and one tile for the edges.</summary>
    public const int ScratchLength = (BlockRows * BlockDepth) + RegisterTile.SlotLength;

    public void Execute(int part, int parts)
    {
        DestinationShare share = DestinationShare.Of(rows, columns, part, parts);
        VectorWidth.Execute(new Core(this, share, scratch + ((nint)part * ScratchLength)));
    }

    /// <summary>One part, for one vector width.</summary>
    internal readonly struct Core(MultiplyWork work, DestinationShare share, float* scratch) : IVectorized
    {
        public void Execute<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => work.Compute<TLanes, TVector>(share, scratch);
    }

    private void Compute<TLanes, TVector>(in DestinationShare share, float* packed)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (int k = 0; k < inner; k += BlockDepth)
        {
            int depth = Math.Min(BlockDepth, inner - k);
            for (int row = share.FirstRow; row < share.EndRow; row += BlockRows)
            {
                int height = Math.Min(BlockRows, share.EndRow - row);
                PackRows<TLanes, TVector>(row, height, k, depth, packed);
                for (int column = share.FirstColumn; column < share.EndColumn; column += PackedMatrix.PanelColumns)
                    MultiplyPanel<TLanes, TVector>(row, height, k, depth, column, packed);
            }
        }
    }

    /// <summary>Packs rows x depth of the left operand as [tile][depth][rows of the tile].</summary>
    private void PackRows<TLanes, TVector>(int row, int height, int k, int depth, float* packed)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        int full = TileGrid.FullRows<TLanes, TVector>();
        for (int i = 0; i < height; i += full)
        {
            int count = Math.Min(full, height - i);
            PanelPacking.Transpose(left + ((nint)(row + i) * inner) + k, inner, count, depth, packed + ((nint)i * depth), TileGrid.TileRows(count));
        }
    }

    /// <summary>A block of rows times one panel of columns.</summary>
    private void MultiplyPanel<TLanes, TVector>(int row, int height, int k, int depth, int column, float* packed)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float* spill = packed + (BlockRows * BlockDepth);
        float* panel = panels + ((nint)column * inner) + ((nint)k * PackedMatrix.PanelColumns);
        int full = TileGrid.FullRows<TLanes, TVector>();
        int width = Math.Min(PackedMatrix.PanelColumns, columns - column);
        var operands = new TileOperands { RightStride = PackedMatrix.PanelColumns, LastDepth = depth, Resume = k > 0, Stride = columns };
        for (int j = 0; j < width; j += 2 * TLanes.Count)
        {
            int tileColumns = Math.Min(2 * TLanes.Count, width - j);
            operands.Right = panel + j;
            for (int i = 0; i < height; i += full)
            {
                int tileRows = Math.Min(full, height - i);
                operands.Left = packed + ((nint)i * depth);
                operands.Destination = destination + ((nint)(row + i) * columns) + column + j;
                delegate*<in TileOperands, void> kernel = TileGrid.Kernel<TLanes, TVector>(TileGrid.TileRows(tileRows), tileColumns);
                TileGrid.Compute<TLanes, TVector>(kernel, ref operands, tileRows, tileColumns, spill);
            }
        }
    }
}
