using System.Numerics;
using System.Runtime.CompilerServices;

namespace Distributed.Kernels;

/// <summary>Sums over the rows of a matrix: the gradient of a bias.</summary>
public static unsafe class ColumnSums
{
    /// <summary>Partial sums on the stack: one for each level of a tree over 2^31 microbatches.</summary>
    private const int Levels = 32;

    /// <summary>Floats of one partial sum: two of the widest vectors.</summary>
    private const int SlotLength = 32;

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
        ArgumentOutOfRangeException.ThrowIfLessThan(microbatch, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        if (matrix.Length != (long)rows * n || destination.Length != n)
            throw new ArgumentException($"{matrix.Length} elements and {destination.Length} sums are not {rows} rows of {n} and their sums.", nameof(matrix));
        if (rows == 0)
        {
            destination.Clear();
            return;
        }

        fixed (float* values = matrix, sums = destination)
            Elementwise.Share(new Work(values, n, rows, microbatch, sums), matrix.Length, team);
    }

    private readonly struct Work(float* matrix, int n, int rows, int microbatch, float* sums) : IPartitionedWork
    {
        public void Execute(int part, int parts)
        {
            (int start, int end) = Partition.Of(n, SlotLength, part, parts);
            VectorWidth.Execute(new Columns(matrix, n, rows, microbatch, sums, start, end));
        }
    }

    /// <summary>A range of columns: two vectors at a time, and the rest one by one.</summary>
    internal readonly struct Columns(float* matrix, int n, int rows, int microbatch, float* sums, int start, int end) : IVectorized
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute<TLanes, TVector>()
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            float* stack = stackalloc float[Levels * SlotLength];
            int j = start;
            for (; j + (2 * TLanes.Count) <= end; j += 2 * TLanes.Count)
                Sum<TLanes, TVector, Two>(matrix + j, stack, sums + j);
            for (; j < end; j++)
                Sum<LanesScalar, float, One>(matrix + j, stack, sums + j);
        }

        private void Sum<TLanes, TVector, TVectors>(float* row, float* top, float* destination)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
            where TVectors : struct, IConstant
        {
            int last = (rows - 1) / microbatch;
            for (int b = 0; b <= last; b++)
            {
                TileRow<TLanes, TVector, One, TVectors> sum = default;
                for (int end = (int)Math.Min(rows, (b + 1L) * microbatch), r = b * microbatch; r < end; r++, row += n)
                    sum = sum.After(0, row, 0);
                int merges = b < last ? BitOperations.TrailingZeroCount(~b) : BitOperations.PopCount((uint)last);
                for (; merges > 0; merges--)
                    sum = sum.After(0, top -= SlotLength, 0);
                sum.Store(0, b < last ? top : destination, 0);
                top += SlotLength;
            }
        }
    }
}
