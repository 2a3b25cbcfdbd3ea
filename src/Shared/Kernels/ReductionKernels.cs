using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>Sums over whole vectors, in an order that no width, thread count or machine changes.</summary>
internal static unsafe class ReductionKernels
{
    /// <summary>Elements of a block of <see cref="SumOfSquares"/>: a leaf of its tree.</summary>
    private const int BlockLength = 4096;

    private const int Lanes = 16;

    /// <summary>Levels of a tree over at most 2^31 leaves.</summary>
    private const int TreeLevels = 32;

    /// <summary>destination = left + right: one node of the summation tree.</summary>
    /// <param name="left">The sum over the earlier microbatches.</param>
    /// <param name="right">The sum over the later ones.</param>
    /// <param name="destination">Overwritten; may be one of the operands.</param>
    /// <param name="team">The threads to share the work, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Add(ReadOnlySpan<float> left, ReadOnlySpan<float> right, Span<float> destination, ComputeTeam? team = null)
    {
        if (left.Length != right.Length || left.Length != destination.Length)
            throw new ArgumentException($"Lengths {left.Length}, {right.Length} and {destination.Length} differ.", nameof(destination));
        fixed (
            float* lefts = left,
                rights = right,
                sums = destination
        )
        {
            Elementwise.Run(new Sum(lefts, rights, sums), left.Length, team);
        }
    }

    /// <summary>
    /// The sum of the squares in double precision: blocks of 4096 elements, each of them summed in 16 lanes (element i in lane i mod 16)
    /// that are folded by halves, then the binary tree over the blocks in which an absent right child passes its left sibling through.
    /// </summary>
    public static double SumOfSquares(ReadOnlySpan<float> values)
    {
        var partials = stackalloc double[TreeLevels];
        var depth = 0;
        for (var block = 0; !values.IsEmpty; block++)
        {
            var length = Math.Min(BlockLength, values.Length);
            var sum = BlockSumOfSquares(values[..length]);
            for (var carry = block; (carry & 1) != 0; carry >>= 1)
                sum = partials[--depth] + sum;
            partials[depth++] = sum;
            values = values[length..];
        }

        var total = depth == 0 ? 0 : partials[--depth];
        while (depth > 0)
            total = partials[--depth] + total;
        return total;
    }

    /// <summary>
    /// One block in 16 lanes. 512-bit vectors that a machine lacks are split by the runtime, lane by lane: the bits are the same.
    /// </summary>
    private static double BlockSumOfSquares(ReadOnlySpan<float> block)
    {
        var lanes = stackalloc double[Lanes];
        Vector512<double> low = default,
            high = default;
        fixed (float* first = block)
        {
            var i = 0;
            for (; i <= block.Length - Lanes; i += Lanes)
            {
                var (x, y) = Vector512.Widen(Vector512.Load(first + i));
                low += x * x; // the product of two floats is exact in double: fused or not, it is the same
                high += y * y;
            }

            low.Store(lanes);
            high.Store(lanes + (Lanes / 2));
            for (var lane = 0; i < block.Length; i++, lane++)
                lanes[lane] += (double)first[i] * first[i];
        }

        for (var half = Lanes / 2; half > 0; half /= 2)
        {
            for (var lane = 0; lane < half; lane++)
                lanes[lane] += lanes[lane + half];
        }

        return lanes[0];
    }

    private readonly struct Sum(float* left, float* right, float* destination) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged =>
            TLanes.Store(TLanes.Add(TLanes.Load(left + index), TLanes.Load(right + index)), destination + index);
    }
}
