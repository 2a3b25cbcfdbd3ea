using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Products;

/// <summary>
/// destination = left . right: a panel of 32 columns of the right operand is packed and meets all rows of the left one, which is read in
/// place unless its rows displace each other from the cache (<see cref="LeftBlock"/>). Each panel is packed once, or for each
/// <see cref="LeftBlock.MaxRows"/> rows that are copied, large matrices while the panel before is used, and never leaves the second level
/// cache. Between blocks of the inner dimension the chains rest in the destination, which rounds nothing.
/// </summary>
internal readonly unsafe struct MultiplyWork(
    float* left,
    int rows,
    RightOperand right,
    float* destination,
    BoundEpilogue epilogue,
    float* scratch
) : IVectorizedWork
{
    /// <summary>
    /// Inner block: 1,024 rows of two panels take 256 KiB of a second level cache of 1 MiB. A deep block visits the destination less often,
    /// and a panel streams from that cache as fast as it is used: 2048^3 ran at 212, 225 and 236 GFLOP/s with 256, 512 and 1,024, on a core
    /// with a peak of 248.
    /// </summary>
    private const int BlockDepth = 1024;

    /// <summary>
    /// Inner block where the rows are few: twice as deep gains 2 % at 128 x 2048 x 2048. With many rows, whose stream displaces the panels,
    /// 2048^3 loses up to a fifth while other processes use the last-level cache.
    /// </summary>
    private const int DeepBlockDepth = 2048;

    /// <summary>The most rows that are few: 2 MiB in a deep block.</summary>
    private const int FewRows = 256;

    /// <summary>
    /// Elements of a right operand from which on it is packed ahead: 0.8 MiB. What is larger comes from the last-level cache at best, which
    /// is slow while another worker uses it: two train mlp, 1.6 and 1 MiB of weights, 4 % faster than when 4 MiB are the limit. A smaller
    /// one is still in the second level cache, where the only effect would be that the next panel displaces the current one from the first
    /// level: 256^3 then takes 5 % longer.
    /// </summary>
    private const int ElementsBeyondCaches = 200 * 1024;

    private readonly int _depth = Depth(rows, right.Inner);

    /// <summary>
    /// Floats of scratch memory for each chunk: one tile for the edge, two packed panels, and the left operand's rows if they are copied.
    /// </summary>
    public static int ScratchLength(int rows, int inner, int columns) =>
        OwnScratchLength(rows, inner) + LeftBlock.ScratchLength(rows, inner, columns, Depth(rows, inner));

    private static int OwnScratchLength(int rows, int inner) =>
        RegisterTile.SlotLength + (2 * RegisterTile.PanelColumns * Depth(rows, inner));

    private static int Depth(int rows, int inner) => Math.Min(inner, rows <= FewRows ? DeepBlockDepth : BlockDepth);

    public void Execute<TLanes, TVector>(int chunk, int chunks)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var share = DestinationShare.Of(rows, right.Columns, chunk, chunks);
        var spill = scratch + ((nint)chunk * ScratchLength(rows, right.Inner, right.Columns));
        var atOnce = LeftBlock.IsCopied(rows, right.Inner, right.Columns) ? LeftBlock.MaxRows : rows;
        for (int row = share.FirstRow, end; row < share.EndRow; row = end)
        {
            end = row + Math.Min(atOnce, share.EndRow - row);
            ComputeRows<TLanes, TVector>(share with { FirstRow = row, EndRow = end }, spill);
        }
    }

    private void ComputeRows<TLanes, TVector>(in DestinationShare share, float* spill)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var panel = spill + RegisterTile.SlotLength;
        var first = BlockAt(0, share.FirstColumn, share);
        var usedOnce = share.EndRow - share.FirstRow <= TileGrid.FullRows<TLanes, TVector>();
        if (usedOnce || right.IsPacked || (long)right.Inner * right.Columns < ElementsBeyondCaches)
            MultiplyInTurn<TLanes, TVector>(share, first, usedOnce || right.IsPacked, panel, spill);
        else
            MultiplyAhead<TLanes, TVector>(share, first, panel, panel + ((nint)_depth * RegisterTile.PanelColumns), spill);
    }

    /// <summary>
    /// Packs each block before it meets the rows; where these are one row of tiles, or it is packed already, it is read where it lies if
    /// that is possible.
    /// </summary>
    private void MultiplyInTurn<TLanes, TVector>(in DestinationShare share, PanelBlock block, bool mayLie, float* panel, float* spill)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (; block.Width > 0; block = Next(block, share))
        {
            var inPlace = mayLie && right.IsInPlace<TLanes, TVector>(block.Width);
            if (!inPlace)
                right.Pack<TLanes, TVector>(block, panel);
            var source = inPlace ? right.At(block.K, block.Column) : panel;
            MultiplyBlock<TLanes, TVector>(share, block, source, inPlace ? right.Stride : RegisterTile.PanelColumns, default, null, spill);
        }
    }

    /// <summary>While one panel meets the rows, the next is packed.</summary>
    private void MultiplyAhead<TLanes, TVector>(in DestinationShare share, PanelBlock block, float* panel, float* spare, float* spill)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        right.Pack<TLanes, TVector>(block, panel);
        while (block.Width > 0)
        {
            var next = Next(block, share);
            MultiplyBlock<TLanes, TVector>(share, block, panel, RegisterTile.PanelColumns, next, spare, spill);
            var packed = spare;
            spare = panel;
            panel = packed;
            block = next;
        }
    }

    /// <summary>
    /// All rows of the share times one block of the right operand. Each row of tiles requests a section of the next block from memory,
    /// which is packed after it: so much that it stays in the second level cache until then, although a column's lines fall into few sets.
    /// </summary>
    private void MultiplyBlock<TLanes, TVector>(
        in DestinationShare share,
        in PanelBlock block,
        float* source,
        nint stride,
        in PanelBlock next,
        float* nextPanel,
        float* spill
    )
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var rowsOfBlock = LeftAt<TLanes, TVector>(share, block, spill);
        int full = TileGrid.FullRows<TLanes, TVector>(),
            tiles = (share.EndRow - share.FirstRow + full - 1) / full;
        var operands = new TileOperands
        {
            LeftStride = rowsOfBlock.Stride,
            RightStride = stride,
            LastDepth = block.Depth,
            Resume = block.K > 0,
            Stride = right.Columns,
        };
        for (int tile = 0, row = share.FirstRow, height; row < share.EndRow; tile++, row += height)
        {
            height = TileGrid.NextRows(share.EndRow - row, full);
            var section = next.Section(tile, tiles);
            operands.Left = rowsOfBlock.Row(row - share.FirstRow);
            operands.Ahead = right.Ahead(section, block.Depth);
            MultiplyRows<TLanes, TVector>(ref operands, block, source, row, height, spill);
            if (section.Depth > 0)
                right.Pack<TLanes, TVector>(section, nextPanel + ((nint)(section.K - next.K) * RegisterTile.PanelColumns));
        }
    }

    /// <summary>
    /// The rows of the share beside a block of the right operand; the copy, if there is one, is made at the first block of each depth.
    /// </summary>
    private LeftBlock LeftAt<TLanes, TVector>(in DestinationShare share, in PanelBlock block, float* spill)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var copy = spill + OwnScratchLength(rows, right.Inner);
        var isCopied = LeftBlock.IsCopied(rows, right.Inner, right.Columns);
        if (isCopied && block.Column > share.FirstColumn)
            return LeftBlock.At(copy, block.Depth);
        var inPlace = new LeftBlock(left + ((nint)share.FirstRow * right.Inner) + block.K, right.Inner);
        return isCopied ? inPlace.Copy<TLanes, TVector>(share.EndRow - share.FirstRow, block.Depth, copy) : inPlace;
    }

    /// <summary>One row of tiles, and its epilogue if it is finished.</summary>
    private void MultiplyRows<TLanes, TVector>(
        ref TileOperands operands,
        in PanelBlock block,
        float* source,
        int row,
        int height,
        float* spill
    )
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var tile = destination + ((nint)row * right.Columns) + block.Column;
        for (var j = 0; j < block.Width; j += 2 * TLanes.Count)
        {
            operands.Right = source + j;
            operands.Destination = tile + j;
            TileGrid.Compute<TLanes, TVector, RowMajorLeft>(ref operands, height, Math.Min(2 * TLanes.Count, block.Width - j), spill);
        }

        if (block.K + block.Depth == right.Inner)
            epilogue.Apply(tile, right.Columns, row, block.Column, height, block.Width);
    }

    /// <summary>The block after another: all columns of the share, then the next rows; empty after the last.</summary>
    private PanelBlock Next(in PanelBlock block, in DestinationShare share)
    {
        var column = block.Column + RegisterTile.PanelColumns;
        return column < share.EndColumn ? BlockAt(block.K, column, share) : BlockAt(block.K + _depth, share.FirstColumn, share);
    }

    private PanelBlock BlockAt(int k, int column, in DestinationShare share) =>
        k >= right.Inner
            ? default
            : new(k, Math.Min(_depth, right.Inner - k), column, Math.Min(RegisterTile.PanelColumns, share.EndColumn - column));
}
