using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public class GradientClippingTests
{
    // The sum over 10 samples whose mean is (3, 4), of norm 5.
    private static readonly float[] Sum = [30, 40];
    private static readonly Range[] All = [Range.All];

    [Fact]
    public void WithoutALimitNothingIsScaled() => Assert.Equal(1, GradientClipping.Scale(Sum, All, 10, null));

    [Fact]
    public void AGradientWithinTheLimitIsNotScaled() => Assert.Equal(1, GradientClipping.Scale(Sum, All, 10, 5.1));

    [Fact]
    public void TheMeanGradientIsScaledToTheLimit() => Assert.Equal((float)(2 / (5 + 1e-6)), GradientClipping.Scale(Sum, All, 10, 2));

    [Fact]
    public void AZeroGradientIsNotScaled() => Assert.Equal(1, GradientClipping.Scale(new float[3], All, 10, 2));

    [Fact]
    public void TheNormDoesNotOverflow() => Assert.Equal(1e-30, GradientClipping.Scale([1e30f], All, 1, 1), 1e-36);

    [Fact]
    public void NaNIsNotHidden() => Assert.Equal(float.NaN, GradientClipping.Scale([1, float.NaN], All, 1, 1));

    [Fact]
    public void OnlyTheRangesCount() =>
        Assert.Equal((float)(2 / (5 + 1e-6)), GradientClipping.Scale([float.NaN, 30, 1e9f, 40], [1..2, 3..4], 10, 2));

    [Fact]
    public void ThereMustBeSamples() => Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.Scale(Sum, All, 0, 1));
}
