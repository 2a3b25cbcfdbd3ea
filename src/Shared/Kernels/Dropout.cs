using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Distributed.Kernels.Threads;
using Distributed.Kernels.Vectors;
using Distributed.Random;

namespace Distributed.Kernels;

/// <summary>
/// Inverted dropout (N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014): each element is
/// multiplied by 0 with the probability of the rate, else by 1 / (1 - rate), so that its expectation stays and evaluation needs no factor.
/// </summary>
internal static unsafe class Dropout
{
    private const double Draws = 4294967296; // 2^32 values of one draw
    private const int BlockLength = 4; // draws of one Philox block
    private const int StepLength = 8 * BlockLength;

    /// <summary>factors[i] = 0 where the draw at first + i is below rate * 2^32, else 1 / (1 - rate).</summary>
    /// <param name="random">The sequence of draws.</param>
    /// <param name="first">Position of the first element in it.</param>
    /// <param name="rate">The part of the elements that is dropped, at least 0 and below 1.</param>
    /// <param name="factors">[n]; overwritten.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is out of range.</exception>
    public static void Factors(in CounterRandom random, ulong first, float rate, Span<float> factors, ComputeTeam team)
    {
        if (!(rate >= 0 && rate < 1))
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "a rate is at least 0 and below 1");
        fixed (float* destination = factors)
        {
            WorkSharing.Run(
                new FactorWork(random, first, (uint)(rate * Draws), 1 / (1 - rate), destination, factors.Length),
                factors.Length,
                team
            );
        }
    }

    /// <summary>
    /// destination[i] = values[i] * factors[i], forward for the activations and backward for their gradient; NaN stays NaN.
    /// </summary>
    /// <param name="values">[n].</param>
    /// <param name="factors">[n], from <see cref="Factors"/>.</param>
    /// <param name="destination">[n]; overwritten, may be the values.</param>
    /// <param name="team">The threads to share the work.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Apply(ReadOnlySpan<float> values, ReadOnlySpan<float> factors, Span<float> destination, ComputeTeam team)
    {
        if (values.Length != factors.Length || values.Length != destination.Length)
            throw new ArgumentException($"Lengths {values.Length}, {factors.Length} and {destination.Length} differ.", nameof(destination));
        fixed (
            float* lefts = values,
                rights = factors,
                products = destination
        )
        {
            Elementwise.Run(new Product(lefts, rights, products), values.Length, team);
        }
    }

    private readonly struct FactorWork(CounterRandom random, ulong first, uint threshold, float scale, float* factors, int length)
        : IChunkedWork
    {
        public void Execute(int chunk, int chunks)
        {
            var (i, end) = ChunkRange.Of(length, AlignedBuffer.Alignment / sizeof(float), chunk, chunks);
            for (; i < end && (first + (ulong)i) % BlockLength != 0; i++)
                factors[i] = Factor(i);
            for (; i <= end - StepLength; i += StepLength)
            {
                var (low, high) = random.EightBlocks((first + (ulong)i) / BlockLength);
                Kept(low).Store(factors + i);
                Kept(high).Store(factors + i + Vector512<float>.Count);
            }

            for (; i < end; i++)
                factors[i] = Factor(i);
        }

        private Vector512<float> Kept(Vector512<uint> draws) =>
            Vector512.GreaterThanOrEqual(draws, Vector512.Create(threshold)).AsSingle() & Vector512.Create(scale);

        private float Factor(int i) => random.UInt32(first + (ulong)i) >= threshold ? scale : 0;
    }

    private readonly struct Product(float* left, float* right, float* destination) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged =>
            TLanes.Store(TLanes.Multiply(TLanes.Load(left + index), TLanes.Load(right + index)), destination + index);
    }
}
