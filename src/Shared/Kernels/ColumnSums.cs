namespace Distributed.Kernels;

/// <summary>Sums over the rows of a matrix: the gradient of a bias.</summary>
public static class ColumnSums
{
    /// <summary>
    /// destination[n] = the sum over the rows of matrix[rows, n], in the order of <see cref="MatrixProduct.TransposedProduct"/>: a chain of
    /// additions from +0 inside each microbatch and the tree across them. The destination is overwritten.
    /// </summary>
    /// <param name="matrix">[rows, n], row-major.</param>
    /// <param name="n">Columns.</param>
    /// <param name="rows">The rows summed over; none gives +0 everywhere.</param>
    /// <param name="microbatch">Rows of a microbatch, counted from row 0; the last may be short.</param>
    /// <param name="destination">[n]; may not overlap the matrix.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">A length does not fit the shape.</exception>
    public static void Compute(ReadOnlySpan<float> matrix, int n, int rows, int microbatch, Span<float> destination, ComputeTeam team)
    {
        float[] ones = new float[rows];
        Array.Fill(ones, 1);
        MatrixProduct.TransposedProduct(ones, 1, matrix, n, rows, microbatch, destination, team);
    }
}
