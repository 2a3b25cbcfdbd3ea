using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>
/// The standard normal distribution in single precision vectors, made of exact operations only: its cumulative distribution function
/// Phi(x) = (1 + erf(x / sqrt 2)) / 2 and its density phi(x) = e^(-x^2/2) / sqrt(2 pi). Errors of Phi are below 8 units in the last place
/// over the whole range, also far out on the left, where 1 + erf would have cancelled; NaN stays NaN.
/// </summary>
internal static class NormalDistribution
{
    private const float InverseSquareRootOf2Pi = 0.3989422804f;
    private const float FarOut = 15f; // beyond, both tail and density round to 0

    /// <summary>Phi(x), and phi(x) beside it.</summary>
    /// <remarks>
    /// For a = |x| the tail is Phi(-a) = e^(-a^2/2) R(a), where R falls smoothly from 1/2 like 1 / (a sqrt(2 pi)). Hence (a + 4) R(a) is
    /// nearly level in u = (a - 4) / (a + 4), and a polynomial of degree 9 in u, fitted at Chebyshev nodes for a in [0, 15], has it to
    /// 1.4e-8. The square is taken with its rounding error, since the exponential would magnify that.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Cumulative<TLanes, TVector>(TVector x, out TVector density)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        TVector one = TLanes.Broadcast(1f),
            far = TLanes.Broadcast(FarOut),
            minusHalf = TLanes.Broadcast(-0.5f);
        var a = TLanes.CopySign(x, one);
        a = TLanes.SelectGreater(a, far, far, a);
        var square = TLanes.Multiply(a, a);
        var error = TLanes.FusedMultiplyAdd(a, a, TLanes.Subtract(default, square)); // a^2 = square + error, exactly
        var exponential = ElementaryFunctions.Exp<TLanes, TVector>(TLanes.Multiply(square, minusHalf));
        exponential = TLanes.FusedMultiplyAdd(exponential, TLanes.Multiply(error, minusHalf), exponential);
        density = TLanes.Multiply(exponential, TLanes.Broadcast(InverseSquareRootOf2Pi));
        var inverse = TLanes.Divide(one, TLanes.Add(a, TLanes.Broadcast(4f)));
        var u = TLanes.FusedMultiplyAdd(inverse, TLanes.Broadcast(-8f), one);
        var tail = TLanes.Multiply(TLanes.Multiply(TailPolynomial<TLanes, TVector>(u), inverse), exponential);
        return TLanes.SelectGreater(x, default, TLanes.Subtract(one, tail), tail);
    }

    /// <summary>(a + 4) R(a) for u = (a - 4) / (a + 4).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector TailPolynomial<TLanes, TVector>(TVector u)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var p = TLanes.Broadcast(-0.0001255583856f);
        p = TLanes.FusedMultiplyAdd(p, u, TLanes.Broadcast(0.0001889965194f));
        p = TLanes.FusedMultiplyAdd(p, u, TLanes.Broadcast(0.001566881688f));
        p = TLanes.FusedMultiplyAdd(p, u, TLanes.Broadcast(-0.003520972824f));
        p = TLanes.FusedMultiplyAdd(p, u, TLanes.Broadcast(-0.007525402418f));
        p = TLanes.FusedMultiplyAdd(p, u, TLanes.Broadcast(0.06040618551f));
        p = TLanes.FusedMultiplyAdd(p, u, TLanes.Broadcast(-0.1865233068f));
        p = TLanes.FusedMultiplyAdd(p, u, TLanes.Broadcast(0.3871366831f));
        p = TLanes.FusedMultiplyAdd(p, u, TLanes.Broadcast(-0.6078965941f));
        return TLanes.FusedMultiplyAdd(p, u, TLanes.Broadcast(0.7552851386f));
    }
}
