using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>A loss of the distance e between an output and its target, with its constants as fields. What is not finite stays so.</summary>
internal interface IRegressionLoss
{
    /// <summary>The loss.</summary>
    /// <param name="distance">|e|.</param>
    TVector Value<TLanes, TVector>(TVector distance)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;

    /// <summary>The derivative of the loss with respect to the output.</summary>
    /// <param name="error">e, output minus target.</param>
    /// <param name="distance">|e|.</param>
    TVector Gradient<TLanes, TVector>(TVector error, TVector distance)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged;
}

/// <summary>e^2 / 2, whose derivative is e.</summary>
internal readonly struct SquaredLoss : IRegressionLoss
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value<TLanes, TVector>(TVector distance)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.Multiply(TLanes.Broadcast(0.5f), TLanes.Multiply(distance, distance));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Gradient<TLanes, TVector>(TVector error, TVector distance)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => error;
}

/// <summary>|e|, whose derivative is the sign of e, and 0 at its kink at 0.</summary>
internal readonly struct AbsoluteLoss : IRegressionLoss
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value<TLanes, TVector>(TVector distance)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => distance;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Gradient<TLanes, TVector>(TVector error, TVector distance)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.SelectGreater(distance, default, TLanes.CopySign(TLanes.Broadcast(1), error), error);
}

/// <summary>
/// e^2 / 2 where |e| is at most delta, and a straight line beyond: delta (|e| - delta / 2), with the derivative e, cut off at delta on both
/// sides (P. Huber, "Robust estimation of a location parameter", 1964).
/// </summary>
/// <param name="delta">Above 0.</param>
internal readonly struct HuberLoss(float delta) : IRegressionLoss
{
    /// <summary>Both pieces are c (|e| - c / 2), with c the smaller of |e| and delta.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value<TLanes, TVector>(TVector distance)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var cut = Cut<TLanes, TVector>(distance);
        return TLanes.Multiply(cut, TLanes.Subtract(distance, TLanes.Multiply(TLanes.Broadcast(0.5f), cut)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Gradient<TLanes, TVector>(TVector error, TVector distance)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.CopySign(Cut<TLanes, TVector>(distance), error);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TVector Cut<TLanes, TVector>(TVector distance)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged => TLanes.SelectGreater(distance, TLanes.Broadcast(delta), TLanes.Broadcast(delta), distance);
}
