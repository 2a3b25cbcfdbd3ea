using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Normalization;

/// <summary>
/// The gradient of one sample's input unless <c>inputGradient</c> is null; g becomes g d r, a term of the weight's gradient.
/// </summary>
internal readonly unsafe struct LayerNormalizationBackward(
    float* input,
    int n,
    float* weight,
    float* statistics,
    float* outputGradient,
    float* inputGradient
) : IVectorizedRange
{
    public void Execute<TLanes, TVector>(int start, int end)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        for (var row = start; row < end; row++)
            Row<TLanes, TVector>(row);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Row<TLanes, TVector>(int row)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var offset = (nint)row * n;
        var statistic = statistics + ((nint)row * LayerNormalization.Statistics);
        var terms = new Terms(input + offset, statistic[0], statistic[1], weight, outputGradient + offset);
        if (inputGradient != null)
        {
            var shift = LaneSum.Of<Weighted, TLanes, TVector>(new Weighted(terms), n) / n;
            var slope = LaneSum.Of<Product, TLanes, TVector>(new Product(terms), n) / n * statistic[1] * statistic[1];
            var gradient = new InputGradient(terms, shift, slope, inputGradient + offset);
            new Elementwise.Loop<InputGradient>(gradient).Execute<TLanes, TVector>(0, n);
        }

        new Elementwise.Loop<WeightTerm>(new WeightTerm(terms)).Execute<TLanes, TVector>(0, n);
    }

    /// <summary>What all sums of one sample are made of.</summary>
    private readonly struct Terms(float* x, float mean, float inverse, float* weight, float* g)
    {
        public readonly float* Gradient = g;
        public readonly float Inverse = inverse;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Difference<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => TLanes.Subtract(TLanes.Load(x + index), TLanes.Broadcast(mean));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Weighted<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => TLanes.Multiply(TLanes.Load(Gradient + index), TLanes.Load(weight + index));
    }

    private readonly struct Weighted(Terms terms) : ISummand
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector AddTo<TLanes, TVector>(TVector sum, nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => TLanes.Add(sum, terms.Weighted<TLanes, TVector>(index));
    }

    private readonly struct Product(Terms terms) : ISummand
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector AddTo<TLanes, TVector>(TVector sum, nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged =>
            TLanes.FusedMultiplyAdd(terms.Weighted<TLanes, TVector>(index), terms.Difference<TLanes, TVector>(index), sum);
    }

    private readonly struct InputGradient(Terms terms, float shift, float slope, float* destination) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var centred = TLanes.Subtract(terms.Weighted<TLanes, TVector>(index), TLanes.Broadcast(shift));
            var sum = TLanes.FusedMultiplyAdd(terms.Difference<TLanes, TVector>(index), TLanes.Broadcast(-slope), centred);
            TLanes.Store(TLanes.Multiply(sum, TLanes.Broadcast(terms.Inverse)), destination + index);
        }
    }

    private readonly struct WeightTerm(Terms terms) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var normal = TLanes.Multiply(terms.Difference<TLanes, TVector>(index), TLanes.Broadcast(terms.Inverse));
            TLanes.Store(TLanes.Multiply(TLanes.Load(terms.Gradient + index), normal), terms.Gradient + index);
        }
    }
}
