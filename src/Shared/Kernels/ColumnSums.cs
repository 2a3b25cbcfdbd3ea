using System.Numerics;
using System.Runtime.CompilerServices;
using Distributed.Kernels.Products;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>Sums over the rows of a matrix: the gradient of a bias.</summary>
internal static unsafe class ColumnSums
{
    /// <summary>Partial sums on the stack: one for each level of a tree over 2^31 microbatches.</summary>
    private const int Levels = 32;

    /// <summary>Pairs of vectors in a stripe: long runs of memory, and enough chains of additions to hide their latency.</summary>
    private const int Pairs = 4;

    /// <summary>Floats of one partial sum: a stripe of the widest vectors.</summary>
    private const int SlotLength = Pairs * 32;

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
        {
            throw new ArgumentException(
                $"{matrix.Length} elements and {destination.Length} sums are not {rows} rows of {n} and their sums.",
                nameof(matrix)
            );
        }

        if (rows == 0)
        {
            destination.Clear();
            return;
        }

        fixed (
            float* values = matrix,
                sums = destination
        )
        {
            var work = VectorizedWork.OfItems(new Columns(values, n, rows, microbatch, sums), n, CacheLine.Length);
            WorkSharing.Run(work, matrix.Length, team);
        }
    }

    /// <summary>A range of columns in stripes: four pairs of vectors, then single pairs, then single columns.</summary>
    internal readonly struct Columns(float* matrix, int n, int rows, int microbatch, float* sums) : IVectorizedRange
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute<TLanes, TVector>(int start, int end)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var stack = stackalloc float[Levels * SlotLength];
            var j = start;
            for (; j + (2 * Pairs * TLanes.Count) <= end; j += 2 * Pairs * TLanes.Count)
                Sum<TLanes, TVector, Four, Two>(matrix + j, stack, sums + j);
            for (; j + (2 * TLanes.Count) <= end; j += 2 * TLanes.Count)
                Sum<TLanes, TVector, One, Two>(matrix + j, stack, sums + j);
            for (; j < end; j++)
                Sum<LanesScalar, float, One, One>(matrix + j, stack, sums + j);
        }

        /// <summary>A stripe, seen as a little matrix of pairs.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Sum<TLanes, TVector, TPairs, TVectors>(float* row, float* top, float* destination)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
            where TPairs : struct, IConstant
            where TVectors : struct, IConstant
        {
            int last = (rows - 1) / microbatch,
                pair = 2 * TLanes.Count;
            for (var b = 0; b <= last; b++)
            {
                TileRow<TLanes, TVector, TPairs, TVectors> s0 = default,
                    s1 = default,
                    s2 = default,
                    s3 = default;
                for (int end = (int)Math.Min(rows, (b + 1L) * microbatch), r = b * microbatch; r < end; r++, row += n)
                {
                    s0 = s0.After(0, row, pair);
                    s1 = s1.After(1, row, pair);
                    s2 = s2.After(2, row, pair);
                    s3 = s3.After(3, row, pair);
                }

                var merges = b < last ? BitOperations.TrailingZeroCount(~b) : BitOperations.PopCount((uint)last);
                for (; merges > 0; merges--)
                {
                    top -= SlotLength;
                    s0 = s0.After(0, top, pair);
                    s1 = s1.After(1, top, pair);
                    s2 = s2.After(2, top, pair);
                    s3 = s3.After(3, top, pair);
                }

                var target = b < last ? top : destination;
                s0.Store(0, target, pair);
                s1.Store(1, target, pair);
                s2.Store(2, target, pair);
                s3.Store(3, target, pair);
                top += SlotLength;
            }
        }
    }
}
