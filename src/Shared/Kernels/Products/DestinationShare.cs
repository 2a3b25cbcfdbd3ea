using Distributed.Kernels.Threads;

namespace Distributed.Kernels.Products;

/// <summary>The chunk of a product's destination that one thread computes: a range of rows and a range of columns.</summary>
internal readonly record struct DestinationShare(int FirstRow, int EndRow, int FirstColumn, int EndColumn)
{
    /// <summary>Rows start at multiples of this, so that tiles at a seam stay reasonably high.</summary>
    private const int RowGranule = 4;

    /// <summary>Cuts the side that has more tiles, where the chunks differ least in size.</summary>
    public static DestinationShare Of(int rows, int columns, int chunk, int chunks)
    {
        if (rows / RegisterTile.MaxRows > columns / RegisterTile.PanelColumns)
        {
            var (first, end) = ChunkRange.Of(rows, RowGranule, chunk, chunks);
            return new DestinationShare(first, end, 0, columns);
        }

        var (start, stop) = ChunkRange.Of(columns, RegisterTile.PanelColumns, chunk, chunks);
        return new DestinationShare(0, rows, start, stop);
    }
}
