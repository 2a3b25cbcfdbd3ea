using System.Numerics;

namespace Distributed.Kernels;

/// <summary>
/// destination = the tree over microbatches of left^T . right. A tile runs through all microbatches before the next tile starts: its finished
/// partial sums lie on a stack that stays in the first level cache, and, as in a binary counter, microbatch b is merged with as many of them as b
/// has trailing ones. What is left at the end is merged from the top, which is the tree whose absent right children pass their siblings through.
/// </summary>
internal readonly unsafe struct TransposedProductWork(
    float* left, int m, float* right, int n, int rows, int microbatch, float* destination, float* scratch, int scratchLength)
    : IPartitionedWork
{
    /// <summary>Floats of the packed block of the left operand: 384 KiB of a second level cache of 1 MiB.</summary>
    private const int BlockLength = 96 * 1024;

    /// <summary>Columns of the left operand in a block even when the rows are many: enough to share the cost of packing a panel of the right one.</summary>
    private const int MinBlockColumns = 8 * RegisterTile.MaxRows;

    /// <summary>Tiles on the stack: one for each level of a tree over 2^31 microbatches, and one for the edges.</summary>
    private const int Slots = 33;

    /// <summary>Floats of scratch memory for each part: the packed block, one panel and the stack, in whole cache lines.</summary>
    public static int ScratchLength(int m, int rows)
    {
        const int line = AlignedBuffer.Alignment / sizeof(float);
        int length = checked((rows * (BlockColumns(m, rows) + PackedMatrix.PanelColumns)) + (Slots * RegisterTile.SlotLength));
        return (length + line - 1) / line * line;
    }

    private static int BlockColumns(int m, int rows)
    {
        int fitting = BlockLength / Math.Max(rows, 1) / RegisterTile.MaxRows * RegisterTile.MaxRows;
        return Math.Min(Math.Max(fitting, MinBlockColumns), TileGrid.TileRows(m));
    }

    public void Execute(int part, int parts)
    {
        DestinationShare share = DestinationShare.Of(m, n, part, parts);
        VectorWidth.Execute(new Core(this, share, scratch + ((nint)part * scratchLength)));
    }

    /// <summary>One part, for one vector width.</summary>
    internal readonly struct Core(TransposedProductWork work, DestinationShare share, float* scratch) : IVectorized
    {
        public void Execute<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => work.Compute<TLanes, TVector>(share, scratch);
    }

    private void Compute<TLanes, TVector>(in DestinationShare share, float* stack)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float* panel = stack + (Slots * RegisterTile.SlotLength);
        float* packed = panel + ((nint)rows * PackedMatrix.PanelColumns);
        int blockColumns = BlockColumns(m, rows);
        for (int i = share.FirstRow; i < share.EndRow; i += blockColumns)
        {
            int height = Math.Min(blockColumns, share.EndRow - i);
            PackLeft<TLanes, TVector>(i, height, packed);
            for (int j = share.FirstColumn; j < share.EndColumn; j += PackedMatrix.PanelColumns)
            {
                int width = Math.Min(PackedMatrix.PanelColumns, n - j);
                PanelPacking.Copy(right + j, n, rows, width, panel, PackedMatrix.PanelColumns);
                MultiplyPanel<TLanes, TVector>(i, height, j, width, packed, panel, stack);
            }
        }
    }

    /// <summary>Packs columns of the left operand as [tile][rows][columns of the tile].</summary>
    private void PackLeft<TLanes, TVector>(int first, int height, float* packed)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        int full = TileGrid.FullRows<TLanes, TVector>();
        for (int i = 0; i < height; i += full)
        {
            int count = Math.Min(full, height - i);
            PanelPacking.Copy(left + first + i, m, rows, count, packed + ((nint)i * rows), TileGrid.TileRows(count));
        }
    }

    private void MultiplyPanel<TLanes, TVector>(int first, int height, int column, int width, float* packed, float* panel, float* stack)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        int full = TileGrid.FullRows<TLanes, TVector>();
        for (int j = 0; j < width; j += 2 * TLanes.Count)
        {
            for (int i = 0; i < height; i += full)
            {
                float* tile = destination + ((nint)(first + i) * n) + column + j;
                int count = Math.Min(full, height - i);
                SumMicrobatches<TLanes, TVector>(packed + ((nint)i * rows), panel + j, count, Math.Min(2 * TLanes.Count, width - j), tile, stack);
            }
        }
    }

    private void SumMicrobatches<TLanes, TVector>(float* leftTile, float* rightTile, int height, int width, float* tile, float* stack)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        int last = (rows - 1) / microbatch;
        float* spill = stack;
        float* top = spill + RegisterTile.SlotLength;
        var operands = new TileOperands { Left = leftTile, Right = rightTile, Depth = microbatch, Stride = PackedMatrix.PanelColumns };
        int whole = TileGrid.TileRows(height);
        for (int b = 0; b < last; b++)
        {
            operands.Partials = top;
            operands.Merges = BitOperations.TrailingZeroCount(~b);
            top -= operands.Merges * RegisterTile.SlotLength;
            operands.Destination = top;
            top += RegisterTile.SlotLength;
            TileGrid.Compute<TLanes, TVector>(ref operands, whole, width > TLanes.Count ? 2 * TLanes.Count : TLanes.Count, spill);
            operands.Left += microbatch * whole;
            operands.Right += microbatch * PackedMatrix.PanelColumns;
        }

        operands.Partials = top;
        operands.Merges = BitOperations.PopCount((uint)last);
        operands.Depth = rows - (last * microbatch);
        operands.Destination = tile;
        operands.Stride = n;
        TileGrid.Compute<TLanes, TVector>(ref operands, height, width, spill);
    }
}
