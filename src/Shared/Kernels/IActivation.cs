using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>An activation function and its gradient as a function of its output.</summary>
internal interface IActivation
{
    static abstract TVector Forward<TLanes, TVector>(TVector input)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;

    /// <summary>The gradient with respect to the input, from the one with respect to the output.</summary>
    static abstract TVector Backward<TLanes, TVector>(TVector gradient, TVector output)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;
}

internal readonly struct IdentityActivation : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TLanes, TVector>(TVector input)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => input;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TLanes, TVector>(TVector gradient, TVector output)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => gradient;
}

internal readonly struct ReluActivation : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TLanes, TVector>(TVector input)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.SelectGreater(default, input, default, input);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TLanes, TVector>(TVector gradient, TVector output)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.SelectGreater(output, default, gradient, default);
}

internal readonly struct TanhActivation : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TLanes, TVector>(TVector input)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => ElementaryFunctions.Tanh<TLanes, TVector>(input);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TLanes, TVector>(TVector gradient, TVector output)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var slope = TLanes.FusedMultiplyAdd(TLanes.Subtract(default, output), output, TLanes.Broadcast(1f));
        return TLanes.Multiply(gradient, slope);
    }
}

internal readonly struct SigmoidActivation : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Forward<TLanes, TVector>(TVector input)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => ElementaryFunctions.Sigmoid<TLanes, TVector>(input);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Backward<TLanes, TVector>(TVector gradient, TVector output)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var slope = TLanes.Multiply(output, TLanes.Subtract(TLanes.Broadcast(1f), output));
        return TLanes.Multiply(gradient, slope);
    }
}
