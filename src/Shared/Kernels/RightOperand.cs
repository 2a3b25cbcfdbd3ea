namespace Distributed.Kernels;

/// <summary>The right operand of a product, [inner, columns], as it lies in memory.</summary>
/// <param name="values">Row-major; the first element.</param>
/// <param name="inner">Rows: the length of each chain.</param>
/// <param name="columns">Columns.</param>
/// <param name="transposed">Whether the memory holds the transpose, [columns, inner]: PyTorch's layout of a dense layer's weights.</param>
internal readonly unsafe struct RightOperand(float* values, int inner, int columns, bool transposed)
{
    public int Inner => inner;

    public int Columns => columns;

    /// <summary>Whether a block of columns can be read where it lies: whole vectors in rows that follow each other.</summary>
    public bool IsInPlace<TLanes, TVector>(int width)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => !transposed && width % TLanes.Count == 0;

    /// <summary>The address of an element of an operand that is not transposed.</summary>
    public float* At(int k, int column) => values + ((nint)k * columns) + column;

    /// <summary>Packs rows k.. and up to 32 columns as [depth][32].</summary>
    public void Pack<TLanes, TVector>(int k, int depth, int column, int width, float* panel)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        if (transposed)
            PanelPacking.Transpose(values + ((nint)column * inner) + k, inner, width, depth, panel, RegisterTile.PanelColumns);
        else
            PanelPacking.Copy<TLanes, TVector>(At(k, column), columns, depth, width, panel, RegisterTile.PanelColumns);
    }
}
