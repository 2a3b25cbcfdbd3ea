using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Products;

/// <summary>
/// destination = the tree over microbatches of left^T . right. A tile runs through all microbatches before the next tile starts: its
/// finished partial sums lie on a stack that stays in the first level cache, and, as in a binary counter, microbatch b is merged with as
/// many of them as b has trailing ones. What is left at the end is merged from the top, which is the tree whose absent right children pass
/// their siblings through.
/// </summary>
internal readonly unsafe struct TransposedProductWork(
    float* left,
    int leftStride,
    int m,
    float* right,
    int n,
    int rows,
    int microbatch,
    float* destination,
    float* scratch,
    int scratchLength
) : IVectorizedWork
{
    /// <summary>Floats of the packed block of the right operand: 512 KiB of a second level cache of 1 MiB.</summary>
    private const int BlockLength = 128 * 1024;

    /// <summary>Panels in a block even when the rows are many: enough to share the cost of packing columns of the left operand.</summary>
    private const int MinBlockPanels = 4;

    /// <summary>Tiles on the stack: one for each level of a tree over 2^31 microbatches, and one for the edges.</summary>
    private const int Slots = 33;

    /// <summary>
    /// Floats of scratch memory for each chunk: the stack, the packed block and one tile's columns, in whole cache lines.
    /// </summary>
    public static long ScratchLength(int n, int rows)
    {
        var length = ((long)rows * (BlockColumns(n, rows) + RegisterTile.MaxRows)) + (Slots * RegisterTile.SlotLength);
        return (length + CacheLine.Length - 1) / CacheLine.Length * CacheLine.Length;
    }

    private static int BlockColumns(int n, int rows)
    {
        var panels = (n + RegisterTile.PanelColumns - 1) / RegisterTile.PanelColumns;
        var largest = Math.Max(BlockLength / RegisterTile.PanelColumns / Math.Max(rows, 1), MinBlockPanels);
        var blocks = (panels + largest - 1) / largest; // as wide as each other: columns of the left operand are packed once for each
        return (panels + blocks - 1) / blocks * RegisterTile.PanelColumns;
    }

    /// <summary>Tiles follow each other along the destination's rows, so that it is written in long runs.</summary>
    public void Execute<TLanes, TVector>(int chunk, int chunks)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var share = DestinationShare.Of(m, n, chunk, chunks);
        var stack = scratch + ((nint)chunk * scratchLength);
        int blockColumns = BlockColumns(n, rows),
            full = TileGrid.FullRows<TLanes, TVector>();
        var packs = share.EndRow - share.FirstRow > full || n % TLanes.Count != 0; // else each panel is used once, as it lies there
        var block = stack + (Slots * RegisterTile.SlotLength);
        var tileColumns = block + ((nint)rows * blockColumns);
        for (var j = share.FirstColumn; j < share.EndColumn; j += blockColumns)
        {
            var width = Math.Min(blockColumns, share.EndColumn - j);
            if (packs)
                PackRight<TLanes, TVector>(j, width, block);
            for (int i = share.FirstRow, height; i < share.EndRow; i += height)
            {
                height = TileGrid.NextRows(share.EndRow - i, full);
                PanelPacking.Copy<TLanes, TVector>(left + i, leftStride, rows, height, tileColumns, height);
                ComputeTiles<TLanes, TVector>(tileColumns, packs ? block : null, i, height, j, width, stack);
            }
        }
    }

    /// <summary>Packs columns of the right operand as [panel][rows][32].</summary>
    private void PackRight<TLanes, TVector>(int first, int width, float* block)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (var j = 0; j < width; j += RegisterTile.PanelColumns)
        {
            var count = Math.Min(RegisterTile.PanelColumns, width - j);
            PanelPacking.Copy<TLanes, TVector>(right + first + j, n, rows, count, block + ((nint)j * rows), RegisterTile.PanelColumns);
        }
    }

    /// <summary>A row of tiles of the destination from (i, j) on; without a packed block, from the right operand itself.</summary>
    private void ComputeTiles<TLanes, TVector>(float* tileColumns, float* block, int i, int height, int j, int width, float* stack)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var last = (rows - 1) / microbatch;
        var operands = new TileOperands
        {
            Left = tileColumns,
            LeftStride = height,
            RightStride = block == null ? n : RegisterTile.PanelColumns,
            Depth = microbatch,
            LastDepth = rows - (last * microbatch),
            Last = last,
            Partials = stack + RegisterTile.SlotLength,
            Stride = n,
        };
        for (var column = 0; column < width; column += 2 * TLanes.Count)
        {
            var inPanel = column % RegisterTile.PanelColumns;
            operands.Right = block == null ? right + j + column : block + ((nint)(column - inPanel) * rows) + inPanel;
            operands.Destination = destination + ((nint)i * n) + j + column;
            TileGrid.Compute<TLanes, TVector, PanelLeft>(ref operands, height, Math.Min(2 * TLanes.Count, width - column), stack);
        }
    }
}
