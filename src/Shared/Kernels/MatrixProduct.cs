namespace Distributed.Kernels;

/// <summary>
/// Single precision matrix products whose every output element is one chain of fused multiply-adds, from +0, in ascending order of the inner
/// index, so that its bits depend on nothing but the operands: not on tiles, blocks, threads or the width of the machine's vectors.
/// </summary>
public static unsafe class MatrixProduct
{
    /// <summary>destination[rows, columns] = left[rows, inner] . right[inner, columns]; the destination is overwritten.</summary>
    /// <param name="left">[rows, inner], row-major.</param>
    /// <param name="rows">Rows of the left operand; zero is allowed.</param>
    /// <param name="right">[inner, columns], packed.</param>
    /// <param name="destination">[rows, columns], row-major; may not overlap the operands.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape.</exception>
    public static void Multiply(ReadOnlySpan<float> left, int rows, PackedMatrix right, Span<float> destination, ComputeTeam team)
    {
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < right.Columns; j++)
            {
                float sum = 0;
                float* panel = right.Panels + ((j / PackedMatrix.PanelColumns * right.Inner) * PackedMatrix.PanelColumns) + (j % PackedMatrix.PanelColumns);
                for (int k = 0; k < right.Inner; k++)
                    sum = MathF.FusedMultiplyAdd(left[(i * right.Inner) + k], panel[k * PackedMatrix.PanelColumns], sum);
                destination[(i * right.Columns) + j] = sum;
            }
        }
    }

    /// <summary>
    /// destination[m, n] = the sum over the rows of left^T . right: a chain inside each microbatch, and across microbatches the binary tree over
    /// their indices padded to a power of two, in which an absent right child passes its left sibling through. The destination is overwritten.
    /// </summary>
    /// <param name="left">[rows, m], row-major.</param>
    /// <param name="m">Columns of the left operand and rows of the destination.</param>
    /// <param name="right">[rows, n], row-major.</param>
    /// <param name="n">Columns of the right operand and of the destination.</param>
    /// <param name="rows">The rows summed over; none gives +0 everywhere.</param>
    /// <param name="microbatch">Rows of a microbatch, counted from row 0; the last may be short.</param>
    /// <param name="destination">[m, n], row-major; may not overlap the operands.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape.</exception>
    public static void TransposedProduct(
        ReadOnlySpan<float> left, int m, ReadOnlySpan<float> right, int n, int rows, int microbatch, Span<float> destination, ComputeTeam team)
    {
        Span<float> stack = stackalloc float[32];
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j < n; j++)
            {
                int depth = 0;
                for (int b = 0; b * microbatch < rows; b++)
                {
                    float sum = 0;
                    for (int r = b * microbatch; r < Math.Min(rows, (b + 1) * microbatch); r++)
                        sum = MathF.FusedMultiplyAdd(left[(r * m) + i], right[(r * n) + j], sum);
                    for (int bits = b; (bits & 1) != 0; bits >>= 1)
                        sum = stack[--depth] + sum;
                    stack[depth++] = sum;
                }

                float total = depth == 0 ? 0 : stack[--depth];
                while (depth > 0)
                    total = stack[--depth] + total;
                destination[(i * n) + j] = total;
            }
        }
    }
}
