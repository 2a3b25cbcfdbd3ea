using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>output = input &gt; 0 ? input : slope * input.</summary>
internal readonly unsafe struct LeakyReluForward(float* input, float slope, float* output) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply<TLanes, TVector>(nint index)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var x = TLanes.Load(input + index);
        TLanes.Store(TLanes.SelectGreater(x, default, x, TLanes.Multiply(x, TLanes.Broadcast(slope))), output + index);
    }
}

/// <summary>gradient *= output &gt; 0 ? 1 : slope.</summary>
internal readonly unsafe struct LeakyReluBackward(float* output, float slope, float* gradient) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply<TLanes, TVector>(nint index)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var g = TLanes.Load(gradient + index);
        var scaled = TLanes.Multiply(g, TLanes.Broadcast(slope));
        TLanes.Store(TLanes.SelectGreater(TLanes.Load(output + index), default, g, scaled), gradient + index);
    }
}

/// <summary>output = input Phi(input).</summary>
internal readonly unsafe struct GeluForward(float* input, float* output) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply<TLanes, TVector>(nint index)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var x = TLanes.Load(input + index);
        TLanes.Store(TLanes.Multiply(x, NormalDistribution.Cumulative<TLanes, TVector>(x, out _)), output + index);
    }
}

/// <summary>gradient *= Phi(input) + input phi(input).</summary>
internal readonly unsafe struct GeluBackward(float* input, float* gradient) : IElementwise
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply<TLanes, TVector>(nint index)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var x = TLanes.Load(input + index);
        var cumulative = NormalDistribution.Cumulative<TLanes, TVector>(x, out var density);
        var slope = TLanes.FusedMultiplyAdd(x, density, cumulative);
        TLanes.Store(TLanes.Multiply(TLanes.Load(gradient + index), slope), gradient + index);
    }
}
