using CsCheck;
using Distributed.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed class ScalarMathTests
{
    /// <summary>The C library's own error, which comes on top of the documented one.</summary>
    private const double ReferenceError = 0.6;

    [Fact]
    public void Exp_is_within_two_ulp() =>
        Gen.Double[-745, 709.7]
            .Sample(x => Ulp.AssertWithin(2 + ReferenceError, Math.Exp(x), ScalarMath.Exp(x), x), iter: 200_000, threads: 1);

    [Fact]
    public void Log_is_within_two_ulp_also_near_one()
    {
        Gen.Double[0.5, 2].Sample(x => Ulp.AssertWithin(2 + ReferenceError, Math.Log(x), ScalarMath.Log(x), x), iter: 200_000, threads: 1);
        Gen.Double[-320, 308]
            .Select(exponent => Math.Pow(10, exponent))
            .Where(x => x > 0)
            .Sample(x => Ulp.AssertWithin(2 + ReferenceError, Math.Log(x), ScalarMath.Log(x), x), iter: 200_000, threads: 1);
        Gen.Double[-1e-6, 1e-6]
            .Sample(x => Ulp.AssertWithin(2 + ReferenceError, Math.Log(1 + x), ScalarMath.Log(1 + x), 1 + x), iter: 100_000, threads: 1);
    }

    [Fact]
    public void CosinePi_is_accurate_and_exact_at_quarter_turns()
    {
        Gen.Double[-4, 4]
            .Sample(
                x => Assert.InRange(ScalarMath.CosinePi(x), double.CosPi(x) - 3e-16, double.CosPi(x) + 3e-16),
                iter: 200_000,
                threads: 1
            );
        Assert.Equal([1, 0, -1, 0, 1, -1, 1], new[] { 0, 0.5, 1, 1.5, 2, -1, 1e18 }.Select(ScalarMath.CosinePi));
    }

    [Fact]
    public void Power_multiplies_exactly_as_often_as_asked()
    {
        Assert.Equal(1, ScalarMath.Power(0.9, 0));
        Assert.Equal(0.9, ScalarMath.Power(0.9, 1));
        Assert.Equal(1024, ScalarMath.Power(2, 10));
        Assert.Equal(-27, ScalarMath.Power(-3, 3));
        Assert.Equal(Math.Pow(0.999, 100_000), ScalarMath.Power(0.999, 100_000), 1e-50);
        Assert.Equal(0, ScalarMath.Power(0.9, long.MaxValue));
        Assert.Throws<ArgumentOutOfRangeException>("exponent", () => ScalarMath.Power(2, -1));
    }

    [Fact]
    public void Special_values_are_right()
    {
        Assert.Equal(
            [1, 0, double.PositiveInfinity, double.NaN],
            new[] { 0, double.NegativeInfinity, double.PositiveInfinity, double.NaN }.Select(ScalarMath.Exp)
        );
        Assert.Equal(
            [0, double.NegativeInfinity, double.PositiveInfinity, double.NaN, double.NaN],
            new[] { 1, 0, double.PositiveInfinity, -1, double.NaN }.Select(ScalarMath.Log)
        );
        Assert.Equal([double.NaN, double.NaN], new[] { double.PositiveInfinity, double.NaN }.Select(ScalarMath.CosinePi));
        Assert.Equal(double.Epsilon, ScalarMath.Exp(-744.4400719213812), 0.0);
    }
}
