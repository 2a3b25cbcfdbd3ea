namespace Distributed.Kernels;

/// <summary>
/// destination = left . right: a panel of 32 columns of the right operand is packed and meets all rows of the left one, which is read in place. Each
/// panel is packed once per product and never leaves the second level cache. Between blocks of the inner dimension the chains rest in the destination,
/// which rounds nothing.
/// </summary>
internal readonly unsafe struct MultiplyWork(float* left, int rows, RightOperand right, float* destination, BoundEpilogue epilogue, float* scratch)
    : IPartitionedWork
{
    /// <summary>
    /// Inner block: 1,024 rows of a panel take 128 KiB of a second level cache of 1 MiB. A deep block visits the destination less often, and a panel
    /// streams from that cache as fast as it is used: 2048^3 ran at 212, 225 and 236 GFLOP/s with 256, 512 and 1,024, on a core with a peak of 248.
    /// </summary>
    private const int BlockDepth = 1024;

    /// <summary>Floats of scratch memory for each part: the packed panel and one tile for the edge.</summary>
    public static int ScratchLength(int inner) => (Math.Min(inner, BlockDepth) * RegisterTile.PanelColumns) + RegisterTile.SlotLength;

    public void Execute(int part, int parts)
    {
        DestinationShare share = DestinationShare.Of(rows, right.Columns, part, parts);
        VectorWidth.Execute(new Core(this, share, scratch + ((nint)part * ScratchLength(right.Inner))));
    }

    /// <summary>One part, for one vector width.</summary>
    internal readonly struct Core(MultiplyWork work, DestinationShare share, float* scratch) : IVectorized
    {
        public void Execute<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => work.Compute<TLanes, TVector>(share, scratch);
    }

    private void Compute<TLanes, TVector>(in DestinationShare share, float* spill)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float* panel = spill + RegisterTile.SlotLength;
        bool usedOnce = share.EndRow - share.FirstRow <= TileGrid.FullRows<TLanes, TVector>();
        for (int k = 0; k < right.Inner; k += BlockDepth)
        {
            int depth = Math.Min(BlockDepth, right.Inner - k);
            for (int column = share.FirstColumn; column < share.EndColumn; column += RegisterTile.PanelColumns)
            {
                int width = Math.Min(RegisterTile.PanelColumns, share.EndColumn - column);
                bool inPlace = usedOnce && right.IsInPlace<TLanes, TVector>(width);
                if (!inPlace)
                    right.Pack<TLanes, TVector>(k, depth, column, width, panel);
                var operands = new TileOperands
                {
                    Right = inPlace ? right.At(k, column) : panel,
                    RightStride = inPlace ? right.Columns : RegisterTile.PanelColumns,
                    LastDepth = depth,
                    Resume = k > 0,
                };
                MultiplyPanel<TLanes, TVector>(operands, share, k, column, width, spill);
            }
        }
    }

    /// <summary>All rows of the share times one panel.</summary>
    private void MultiplyPanel<TLanes, TVector>(TileOperands operands, in DestinationShare share, int k, int column, int width, float* spill)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        float* panel = operands.Right;
        bool isLast = k + operands.LastDepth == right.Inner;
        operands.LeftStride = right.Inner;
        operands.Stride = right.Columns;
        for (int row = share.FirstRow, height; row < share.EndRow; row += height)
        {
            height = TileGrid.NextRows(share.EndRow - row, TileGrid.FullRows<TLanes, TVector>());
            float* block = destination + ((nint)row * right.Columns) + column;
            operands.Left = left + ((nint)row * right.Inner) + k;
            for (int j = 0; j < width; j += 2 * TLanes.Count)
            {
                operands.Right = panel + j;
                operands.Destination = block + j;
                TileGrid.Compute<TLanes, TVector, RowMajorLeft>(ref operands, height, Math.Min(2 * TLanes.Count, width - j), spill);
            }

            if (isLast)
                epilogue.Apply(block, right.Columns, row, column, height, width);
        }
    }
}
