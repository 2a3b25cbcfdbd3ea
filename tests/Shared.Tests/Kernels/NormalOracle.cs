namespace Distributed.Shared.Tests.Kernels;

/// <summary>The standard normal distribution in double precision, from its textbook expansions (Abramowitz and Stegun 26.2).</summary>
internal static class NormalOracle
{
    private const double Border = -3; // left of it the series cancels, right of it the continued fraction is slow

    public static double Density(double x) => Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);

    /// <summary>The distribution function, with a small relative error also on the left.</summary>
    public static double Cumulative(double x) =>
        x switch
        {
            < Border => Tail(-x),
            > -Border => 1 - Tail(x),
            _ => 0.5 + (Density(x) * Series(x)),
        };

    /// <summary>phi(a) / (a + 1/(a + 2/(a + 3/(a + ..)))).</summary>
    private static double Tail(double a)
    {
        var fraction = a;
        for (var k = 200; k > 0; k--)
            fraction = a + (k / fraction);
        return Density(a) / fraction;
    }

    /// <summary>x + x^3/3 + x^5/(3 5) + x^7/(3 5 7) + ..</summary>
    private static double Series(double x)
    {
        double sum = 0,
            term = x;
        for (var k = 3; !double.IsNaN(x) && sum + term != sum; k += 2)
        {
            sum += term;
            term *= x * x / k;
        }

        return double.IsNaN(x) ? x : sum;
    }
}
