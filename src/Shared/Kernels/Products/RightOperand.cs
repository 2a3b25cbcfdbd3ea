using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Products;

/// <summary>How the right operand of a product lies in memory.</summary>
internal enum RightLayout
{
    /// <summary>[inner, columns], row-major.</summary>
    RowMajor = 0,

    /// <summary>[columns, inner], row-major: PyTorch's layout of a dense layer's weights.</summary>
    Transposed,

    /// <summary>[columns / 32][inner][32], the last panel filled up with anything.</summary>
    Packed,
}

/// <summary>The right operand of a product, [inner, columns], as it lies in memory.</summary>
/// <param name="values">The first element.</param>
/// <param name="inner">Rows: the length of each chain.</param>
/// <param name="columns">Columns.</param>
/// <param name="layout">How it lies.</param>
internal readonly unsafe struct RightOperand(float* values, int inner, int columns, RightLayout layout)
{
    public int Inner => inner;

    public int Columns => columns;

    /// <summary>Whether it has been packed before, as a whole.</summary>
    public bool IsPacked => layout == RightLayout.Packed;

    /// <summary>Floats from one row to the next, where blocks are read in place.</summary>
    public nint Stride => IsPacked ? RegisterTile.PanelColumns : columns;

    /// <summary>Whether a block of columns can be read where it lies: whole vectors in rows that follow each other.</summary>
    public bool IsInPlace<TLanes, TVector>(int width)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => IsPacked || (layout == RightLayout.RowMajor && width % TLanes.Count == 0);

    /// <summary>The address of an element of an operand that is not transposed.</summary>
    /// <param name="k">Its row.</param>
    /// <param name="column">Its column; the first of a panel where the operand is packed.</param>
    public float* At(int k, int column) =>
        IsPacked ? values + ((nint)column * inner) + ((nint)k * RegisterTile.PanelColumns) : values + ((nint)k * columns) + column;

    /// <summary>Packs a block as [depth][32].</summary>
    public void Pack<TLanes, TVector>(in PanelBlock block, float* panel)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        if (layout == RightLayout.Transposed)
        {
            PanelPacking.Transpose(
                values + ((nint)block.Column * inner) + block.K,
                inner,
                block.Width,
                block.Depth,
                panel,
                RegisterTile.PanelColumns
            );
        }
        else
        {
            PanelPacking.Copy<TLanes, TVector>(
                At(block.K, block.Column),
                columns,
                block.Depth,
                block.Width,
                panel,
                RegisterTile.PanelColumns
            );
        }
    }

    /// <summary>
    /// A walk over the lines of a block, in about the order in which <see cref="Pack"/> reads them, to take during <paramref name="terms"/>
    /// terms.
    /// </summary>
    public ReadAhead Ahead(in PanelBlock block, int terms) =>
        layout == RightLayout.Transposed
            ? new(values + ((nint)block.Column * inner) + block.K, block.Width, inner, Lines(block.Depth), CacheLine.Length, terms)
            : new(At(block.K, block.Column), Lines(block.Width), CacheLine.Length, block.Depth, columns, terms);

    private static int Lines(int length) => (length + CacheLine.Length - 1) / CacheLine.Length;
}
