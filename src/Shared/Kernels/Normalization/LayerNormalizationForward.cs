using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels.Normalization;

/// <summary>y = (x - mean) r weight + bias.</summary>
internal readonly unsafe struct LayerNormalizationForward(
    float* input,
    int n,
    float* weight,
    float* bias,
    float epsilon,
    float* statistics,
    float* output
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
        var mean = LaneSum.Of<Value, TLanes, TVector>(new Value(input + offset), n) / n;
        var variance = LaneSum.Of<SquaredDifference, TLanes, TVector>(new SquaredDifference(input + offset, mean), n) / n;
        var inverse = 1 / MathF.Sqrt(variance + epsilon);
        var statistic = statistics + ((nint)row * LayerNormalization.Statistics);
        (statistic[0], statistic[1]) = (mean, inverse);
        var normalise = new Normalise(input + offset, mean, inverse, weight, bias, output + offset);
        new Elementwise.Loop<Normalise>(normalise).Execute<TLanes, TVector>(0, n);
    }

    private readonly struct Value(float* x) : ISummand
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector AddTo<TLanes, TVector>(TVector sum, nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged => TLanes.Add(sum, TLanes.Load(x + index));
    }

    private readonly struct SquaredDifference(float* x, float mean) : ISummand
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector AddTo<TLanes, TVector>(TVector sum, nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var difference = TLanes.Subtract(TLanes.Load(x + index), TLanes.Broadcast(mean));
            return TLanes.FusedMultiplyAdd(difference, difference, sum);
        }
    }

    private readonly struct Normalise(float* x, float mean, float inverse, float* weight, float* bias, float* y) : IElementwise
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Apply<TLanes, TVector>(nint index)
            where TLanes : struct, ILanes<TVector>
            where TVector : unmanaged
        {
            var difference = TLanes.Subtract(TLanes.Load(x + index), TLanes.Broadcast(mean));
            var normal = TLanes.Multiply(difference, TLanes.Broadcast(inverse));
            TLanes.Store(TLanes.FusedMultiplyAdd(normal, TLanes.Load(weight + index), TLanes.Load(bias + index)), y + index);
        }
    }
}
