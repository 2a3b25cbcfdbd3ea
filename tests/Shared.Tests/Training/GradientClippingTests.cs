using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public class GradientClippingTests
{
    // The sum over 10 samples whose mean is (3, 4), of norm 5.
    private static readonly float[] Sum = [30, 40];

    [Fact]
    public void WithoutALimitNothingIsScaled() => Assert.Equal(1, GradientClipping.Scale(Sum, 10, null));

    [Fact]
    public void AGradientWithinTheLimitIsNotScaled() => Assert.Equal(1, GradientClipping.Scale(Sum, 10, 5.1));

    [Fact]
    public void TheMeanGradientIsScaledToTheLimit() => Assert.Equal((float)(2 / (5 + 1e-6)), GradientClipping.Scale(Sum, 10, 2));

    [Fact]
    public void AZeroGradientIsNotScaled() => Assert.Equal(1, GradientClipping.Scale(new float[3], 10, 2));

    [Fact]
    public void TheNormDoesNotOverflow() => Assert.Equal(1e-30, GradientClipping.Scale([1e30f], 1, 1), 1e-36);

    [Fact]
    public void NaNIsNotHidden() => Assert.Equal(float.NaN, GradientClipping.Scale([1, float.NaN], 1, 1));

    [Fact]
    public void ThereMustBeSamples() => Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.Scale(Sum, 0, 1));
}
