using Distributed.Kernels.Threads;

namespace Distributed.Kernels.Products;

/// <summary>
/// What a panel of a product's right operand holds: rows <paramref name="K"/>.. and up to 32 columns. The default is empty.
/// </summary>
/// <param name="K">The first row.</param>
/// <param name="Depth">The number of rows.</param>
/// <param name="Column">The first column.</param>
/// <param name="Width">The number of columns.</param>
internal readonly record struct PanelBlock(int K, int Depth, int Column, int Width)
{
    /// <summary>Rows that are packed together: those of the largest tile that is transposed in registers.</summary>
    private const int Granule = 16;

    /// <summary>
    /// One of <paramref name="count"/> ranges of rows that make up the block. If the last would be too short for a transposed tile, it has
    /// rows of the one before as well.
    /// </summary>
    public PanelBlock Section(int index, int count)
    {
        var (start, end) = ChunkRange.Of(Depth, Granule, index, count);
        if (end > start)
            start = Math.Max(0, Math.Min(start, end - Granule));
        return this with { K = K + start, Depth = end - start };
    }
}
