using System.Runtime.CompilerServices;
using Distributed.Kernels.Vectors;

namespace Distributed.Kernels;

/// <summary>
/// Exponential, hyperbolic tangent and logistic function of single precision vectors, made of exact operations only, so that they have the
/// same bits on every machine. Errors are below 2 units in the last place (2.5 for the logistic function) over the whole range, subnormal
/// results included; NaN stays NaN.
/// </summary>
internal static class ElementaryFunctions
{
    private const float Log2E = 1.442695041f;
    private const float Ln2High = 0.693359375f; // 9 bits of mantissa: its products with the exponents below are exact
    private const float Ln2Low = -2.12194440e-4f;
    private const float Shifter = 12582912f; // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits of the mantissa
    private const float ExpUnderflow = -104f; // below, the result rounds to 0
    private const float ExpOverflow = 89f; // above, the result rounds to infinity

    /// <summary>
    /// e^x = 2^n e^r with n = round(x / ln 2), |r| &lt;= ln 2 / 2 by the two-part reduction of Cody and Waite, and the Taylor polynomial of
    /// degree 7, whose remainder is below 6e-9. 2^n is multiplied in two steps, so that results near the ends of the range round once.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp<TLanes, TVector>(TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var shifter = TLanes.Broadcast(Shifter);
        var low = TLanes.Broadcast(ExpUnderflow);
        var high = TLanes.Broadcast(ExpOverflow);
        x = TLanes.SelectGreater(x, high, high, x);
        x = TLanes.SelectGreater(low, x, low, x);
        var n = TLanes.Subtract(TLanes.FusedMultiplyAdd(x, TLanes.Broadcast(Log2E), shifter), shifter);
        var r = TLanes.FusedMultiplyAdd(n, TLanes.Broadcast(-Ln2High), x);
        r = TLanes.FusedMultiplyAdd(n, TLanes.Broadcast(-Ln2Low), r);
        var half = TLanes.FusedMultiplyAdd(n, TLanes.Broadcast(0.5f), shifter);
        var rest = TLanes.Add(TLanes.Subtract(n, TLanes.Subtract(half, shifter)), shifter);
        return TLanes.Multiply(TLanes.Multiply(ExpPolynomial<TLanes, TVector>(r), TLanes.PowerOfTwo(half)), TLanes.PowerOfTwo(rest));
    }

    /// <summary>
    /// For |x| &lt; 0.625 an odd minimax polynomial (Moshier, Cephes, tanhf); beyond, 1 - 2 / (e^2|x| + 1), which has no cancellation
    /// there.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Tanh<TLanes, TVector>(TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var one = TLanes.Broadcast(1f);
        var a = TLanes.CopySign(x, one);
        var square = TLanes.Multiply(a, a);
        var p = TLanes.Broadcast(-5.70498872745e-3f);
        p = TLanes.FusedMultiplyAdd(p, square, TLanes.Broadcast(2.06390887954e-2f));
        p = TLanes.FusedMultiplyAdd(p, square, TLanes.Broadcast(-5.37397155531e-2f));
        p = TLanes.FusedMultiplyAdd(p, square, TLanes.Broadcast(1.33314422036e-1f));
        p = TLanes.FusedMultiplyAdd(p, square, TLanes.Broadcast(-3.33332819422e-1f));
        var small = TLanes.FusedMultiplyAdd(TLanes.Multiply(p, square), a, a);
        var exponential = Exp<TLanes, TVector>(TLanes.Add(a, a));
        var large = TLanes.Subtract(one, TLanes.Divide(TLanes.Broadcast(2f), TLanes.Add(exponential, one)));
        return TLanes.CopySign(TLanes.SelectGreater(a, TLanes.Broadcast(0.625f), large, small), x);
    }

    /// <summary>1 / (1 + e^-x), from e^-|x| on both sides, so that small results keep their relative accuracy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Sigmoid<TLanes, TVector>(TVector x)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var one = TLanes.Broadcast(1f);
        var exponential = Exp<TLanes, TVector>(TLanes.CopySign(x, TLanes.Broadcast(-1f)));
        var numerator = TLanes.SelectGreater(default, x, exponential, one);
        return TLanes.Divide(numerator, TLanes.Add(one, exponential));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector ExpPolynomial<TLanes, TVector>(TVector r)
        where TLanes : struct, ILanes<TVector>
        where TVector : unmanaged
    {
        var p = TLanes.Broadcast(1f / 5040);
        p = TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(1f / 720));
        p = TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(1f / 120));
        p = TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(1f / 24));
        p = TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(1f / 6));
        p = TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(0.5f));
        p = TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(1f));
        return TLanes.FusedMultiplyAdd(p, r, TLanes.Broadcast(1f));
    }
}
