using Distributed.Kernels.Threads;

namespace Distributed.Kernels.Products;

/// <summary>The part of a product's destination that one thread computes: a range of rows and a range of columns.</summary>
internal readonly record struct DestinationShare(int FirstRow, int EndRow, int FirstColumn, int EndColumn)
{
    /// <summary>Rows start at multiples of this, so that tiles at a seam stay reasonably high.</summary>
    private const int RowGranule = 4;

    /// <summary>Cuts the side that has more tiles, where the parts come out most alike.</summary>
    public static DestinationShare Of(int rows, int columns, int part, int parts)
    {
        if (rows / RegisterTile.MaxRows > columns / RegisterTile.PanelColumns)
        {
            var (first, end) = ChunkRange.Of(rows, RowGranule, part, parts);
            return new DestinationShare(first, end, 0, columns);
        }

        var (start, stop) = ChunkRange.Of(columns, RegisterTile.PanelColumns, part, parts);
        return new DestinationShare(0, rows, start, stop);
    }
}
