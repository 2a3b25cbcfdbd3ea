namespace Distributed.Kernels.Products;

/// <summary>A finished block of a product and what its epilogue reads beside it.</summary>
/// <param name="values">[rows, columns], <paramref name="stride"/> floats from row to row; overwritten.</param>
/// <param name="stride">Floats from one row of the values to the next.</param>
/// <param name="operand">The operand of the block's first element.</param>
/// <param name="operandStride">Floats from one row of the operand to the next; 0 for a bias.</param>
/// <param name="rows">Rows of the block.</param>
/// <param name="columns">Columns of the block.</param>
internal readonly unsafe struct EpilogueBlock(float* values, nint stride, float* operand, nint operandStride, int rows, int columns)
{
    public readonly float* Values = values;
    public readonly nint Stride = stride;
    public readonly float* Operand = operand;
    public readonly nint OperandStride = operandStride;
    public readonly int Rows = rows;
    public readonly int Columns = columns;
}

/// <summary>An <see cref="Epilogue"/> whose operand is pinned.</summary>
internal readonly unsafe struct BoundEpilogue(delegate* <in EpilogueBlock, void> apply, float* operand, nint operandStride)
{
    /// <summary>Finishes a block that starts at (row, column) of the product.</summary>
    public void Apply(float* values, nint stride, int row, int column, int rows, int columns)
    {
        if (apply != null)
            apply(new EpilogueBlock(values, stride, operand + (row * operandStride) + column, operandStride, rows, columns));
    }
}
