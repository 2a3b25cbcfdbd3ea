using CsCheck;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public class LearningRateScheduleTests
{
    [Fact]
    public void ConstantStays() => Assert.Equal([0.5f, 0.5f, 0.5f], Rates(new ConstantSchedule(), 0, 3));

    [Fact]
    public void StepFallsToATenthAfterEachThird() =>
        Assert.Equal([0.5f, 0.5f, 0.05f, 0.05f, 0.005f, 0.005f], Rates(new StepSchedule(), 0, 6));

    [Fact]
    public void StepGivesAnUnevenRestToTheFirstThirds() =>
        Assert.Equal([0.5f, 0.5f, 0.5f, 0.05f, 0.05f, 0.005f, 0.005f], Rates(new StepSchedule(), 0, 7));

    [Fact]
    public void CosineFallsFromTheFullRateToJustAboveZero()
    {
        float[] expected = [.. Enumerable.Range(0, 8).Select(done => (float)(0.25 * (1 + Math.Cos(Math.PI * done / 8))))];
        var rates = Rates(new CosineSchedule(), 0, 8);
        for (var i = 0; i < 8; i++)
            Assert.Equal(expected[i], rates[i], 1e-7);
        Assert.Equal(0.5f, rates[0]);
        Assert.True(rates[^1] > 0);
    }

    [Theory]
    [InlineData("constant")]
    [InlineData("cosine")]
    public void WarmupRisesInAStraightLineToTheFullRate(string name) =>
        Assert.Equal([0.125f, 0.25f, 0.375f, 0.5f, 0.5f], Rates(ScheduleOptions.Find(name)!, 4, 12)[..5]);

    [Fact]
    public void ARunMayEndWithItsWarmup() => Assert.Equal([0.25f, 0.5f], Rates(new CosineSchedule(), 2, 2));

    [Fact]
    public void RatesAreAboveZeroAndAtMostFull() =>
        Gen.Select(Gen.Int[0, 2], Gen.Long[1, 1_000_000_000], Gen.Double[0, 1], Gen.Double[0, 1])
            .Sample(
                (kind, total, warmup, position) =>
                {
                    var options = ScheduleOptions.Known[kind] with { WarmupSteps = (long)(warmup * total) };
                    var rate = new LearningRateSchedule(options, 0.5).At(1 + (long)(position * (total - 1)), total);
                    Assert.InRange(rate, float.Epsilon, 0.5f);
                }
            );

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    public void AStepOutsideOfTheRunIsAnArgumentError(long step) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new LearningRateSchedule(new CosineSchedule(), 0.5).At(step, 10));

    [Theory]
    [InlineData("constant", false)]
    [InlineData("step", true)]
    [InlineData("cosine", true)]
    public void OnlyAConstantRateDoesNotDependOnTheEnd(string name, bool expected) =>
        Assert.Equal(expected, ScheduleOptions.Find(name)!.DependsOnEnd);

    private static float[] Rates(ScheduleOptions options, long warmup, int total)
    {
        LearningRateSchedule schedule = new(options with { WarmupSteps = warmup }, 0.5);
        return [.. Enumerable.Range(1, total).Select(step => schedule.At(step, total))];
    }
}
