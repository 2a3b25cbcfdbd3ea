namespace Distributed.Kernels;

/// <summary>
/// Elementary functions in double precision, made of exact operations only, so that they have the same bits on every machine and under
/// every version of the runtime. Errors are below 2 units in the last place unless a member says otherwise.
/// </summary>
internal static class ScalarMath
{
    private const double Log2E = 1.4426950408889634;
    private const double Ln2High = 6.93147180369123816490e-01; // 32 bits of mantissa: its products with an exponent are exact
    private const double Ln2Low = 1.90821492927058770002e-10;
    private const double SquareRootOfHalf = 0.70710678118654752;
    private const long MantissaMask = 0x000F_FFFF_FFFF_FFFF;
    private const int ExponentBias = 1023;
    private const int MantissaBits = 52;

    /// <summary>1/k! for k = 13 down to 0.</summary>
    private static readonly double[] ExpCoefficients =
    [
        1.0 / 6227020800,
        1.0 / 479001600,
        1.0 / 39916800,
        1.0 / 3628800,
        1.0 / 362880,
        1.0 / 40320,
        1.0 / 5040,
        1.0 / 720,
        1.0 / 120,
        1.0 / 24,
        1.0 / 6,
        0.5,
        1,
        1,
    ];

    /// <summary>2/(2k+1) for k = 10 down to 1: the series of log((1+s)/(1-s)) / s in s^2, without its first term.</summary>
    private static readonly double[] LogCoefficients =
    [
        2.0 / 21,
        2.0 / 19,
        2.0 / 17,
        2.0 / 15,
        2.0 / 13,
        2.0 / 11,
        2.0 / 9,
        2.0 / 7,
        2.0 / 5,
        2.0 / 3,
    ];

    /// <summary>(-1)^k/(2k)! for k = 8 down to 0.</summary>
    private static readonly double[] CosineCoefficients =
    [
        1.0 / 20922789888000,
        -1.0 / 87178291200,
        1.0 / 479001600,
        -1.0 / 3628800,
        1.0 / 40320,
        -1.0 / 720,
        1.0 / 24,
        -0.5,
        1,
    ];

    /// <summary>(-1)^k/(2k+1)! for k = 8 down to 1.</summary>
    private static readonly double[] SineCoefficients =
    [
        1.0 / 355687428096000,
        -1.0 / 1307674368000,
        1.0 / 6227020800,
        -1.0 / 39916800,
        1.0 / 362880,
        -1.0 / 5040,
        1.0 / 120,
        -1.0 / 6,
    ];

    /// <summary>e^x = 2^n e^r with n = round(x / ln 2) and the Taylor polynomial of degree 13 for |r| &lt;= ln 2 / 2.</summary>
    public static double Exp(double x)
    {
        if (double.IsNaN(x))
            return x;
        if (x > 709.79)
            return double.PositiveInfinity;
        if (x < -745.14)
            return 0;
        var n = Math.Round(x * Log2E);
        var r = Math.FusedMultiplyAdd(n, -Ln2Low, Math.FusedMultiplyAdd(n, -Ln2High, x));
        var half = (int)n / 2; // two steps, so that a subnormal result rounds once
        return Polynomial(ExpCoefficients, r) * PowerOfTwo(half) * PowerOfTwo((int)n - half);
    }

    /// <summary>
    /// The natural logarithm: x = 2^e m with m in [sqrt(1/2), sqrt 2), and log m = log((1+s)/(1-s)) for s = (m-1)/(m+1). Minus infinity at
    /// 0, NaN below.
    /// </summary>
    public static double Log(double x)
    {
        if (double.IsNaN(x) || x < 0)
            return double.NaN;
        if (x == 0)
            return double.NegativeInfinity;
        if (double.IsPositiveInfinity(x))
            return x;
        var (mantissa, exponent) = Split(x);
        var f = mantissa - 1; // exact
        var s = f / (mantissa + 1);
        var square = s * s;
        var tail = square * Polynomial(LogCoefficients, square);
        // log m = 2s + s tail, and 2s = f - s f: the leading term is then exact.
        return Math.FusedMultiplyAdd(exponent, Ln2High, f - Math.FusedMultiplyAdd(s, f - tail, -exponent * Ln2Low));
    }

    /// <summary>
    /// cos(pi x), reduced exactly to a quarter turn: exact at every multiple of 1/2, absolute error below 3e-16. NaN at infinity.
    /// </summary>
    public static double CosinePi(double x)
    {
        if (!double.IsFinite(x))
            return double.NaN;
        var turn = Math.Abs(x) % 2; // the remainder is exact
        var folded = turn > 1 ? 2 - turn : turn; // cos is even around pi
        var mirrored = folded > 0.5 ? 1 - folded : folded;
        var value = mirrored <= 0.25 ? CosineOf(mirrored * Math.PI) : SineOf((0.5 - mirrored) * Math.PI);
        return folded > 0.5 ? -value : value;
    }

    /// <summary>
    /// <paramref name="value"/> to the power <paramref name="exponent"/> (&gt;= 0) by repeated squaring; the relative error grows like
    /// exponent * 1.1e-16.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The exponent is negative.</exception>
    public static double Power(double value, long exponent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(exponent);
        double result = 1;
        for (var square = value; exponent > 0; exponent >>= 1, square *= square)
        {
            if ((exponent & 1) != 0)
                result *= square;
        }

        return result;
    }

    private static double Polynomial(double[] coefficients, double x)
    {
        double sum = 0;
        foreach (var coefficient in coefficients)
            sum = Math.FusedMultiplyAdd(sum, x, coefficient);
        return sum;
    }

    private static double CosineOf(double angle) => Polynomial(CosineCoefficients, angle * angle);

    private static double SineOf(double angle)
    {
        var square = angle * angle;
        return Math.FusedMultiplyAdd(angle * square, Polynomial(SineCoefficients, square), angle);
    }

    /// <summary>2^n for n in -1022..1023.</summary>
    private static double PowerOfTwo(int n) => BitConverter.Int64BitsToDouble((long)(n + ExponentBias) << MantissaBits);

    /// <summary>A positive finite x as mantissa * 2^exponent with the mantissa in [sqrt(1/2), sqrt 2).</summary>
    private static (double Mantissa, int Exponent) Split(double x)
    {
        var exponent = 0;
        if (!double.IsNormal(x))
        {
            x *= PowerOfTwo(MantissaBits + 2);
            exponent = -(MantissaBits + 2);
        }

        var bits = BitConverter.DoubleToInt64Bits(x);
        exponent += (int)(bits >> MantissaBits) - ExponentBias + 1;
        var mantissa = BitConverter.Int64BitsToDouble((bits & MantissaMask) | ((ExponentBias - 1L) << MantissaBits)); // [1/2, 1)
        return mantissa < SquareRootOfHalf ? (2 * mantissa, exponent - 1) : (mantissa, exponent);
    }
}
