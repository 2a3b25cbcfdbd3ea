using CsCheck;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public class LearningRateScheduleTests
{
    [Fact]
    public void ConstantStays() => Assert.Equal([0.5f, 0.5f, 0.5f], Rates(ScheduleKind.Constant, 0, 3));

    [Fact]
    public void StepFallsToATenthAfterEachThird() =>
        Assert.Equal([0.5f, 0.5f, 0.05f, 0.05f, 0.005f, 0.005f], Rates(ScheduleKind.Step, 0, 6));

    [Fact]
    public void StepGivesAnUnevenRestToTheFirstThirds() =>
        Assert.Equal([0.5f, 0.5f, 0.5f, 0.05f, 0.05f, 0.005f, 0.005f], Rates(ScheduleKind.Step, 0, 7));

    [Fact]
    public void CosineFallsFromTheFullRateToJustAboveZero()
    {
        float[] expected = [.. Enumerable.Range(0, 8).Select(done => (float)(0.25 * (1 + Math.Cos(Math.PI * done / 8))))];
        var rates = Rates(ScheduleKind.Cosine, 0, 8);
        for (var i = 0; i < 8; i++)
            Assert.Equal(expected[i], rates[i], 1e-7);
        Assert.Equal(0.5f, rates[0]);
        Assert.True(rates[^1] > 0);
    }

    [Theory]
    [InlineData(ScheduleKind.Constant)]
    [InlineData(ScheduleKind.Cosine)]
    public void WarmupRisesInAStraightLineToTheFullRate(ScheduleKind kind) =>
        Assert.Equal([0.125f, 0.25f, 0.375f, 0.5f, 0.5f], Rates(kind, 4, 12)[..5]);

    [Fact]
    public void ARunMayEndWithItsWarmup() => Assert.Equal([0.25f, 0.5f], Rates(ScheduleKind.Cosine, 2, 2));

    [Fact]
    public void RatesAreAboveZeroAndAtMostFull() =>
        Gen.Select(Gen.Int[0, 2], Gen.Long[1, 1_000_000_000], Gen.Double[0, 1], Gen.Double[0, 1])
            .Sample(
                (kind, total, warmup, position) =>
                {
                    ScheduleOptions options = new() { Kind = (ScheduleKind)kind, WarmupSteps = (long)(warmup * total) };
                    var rate = new LearningRateSchedule(options, 0.5).At(1 + (long)(position * (total - 1)), total);
                    Assert.InRange(rate, float.Epsilon, 0.5f);
                }
            );

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    public void AStepOutsideOfTheRunIsAnArgumentError(long step) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new LearningRateSchedule(new(), 0.5).At(step, 10));

    [Theory]
    [InlineData(ScheduleKind.Constant, false)]
    [InlineData(ScheduleKind.Step, true)]
    [InlineData(ScheduleKind.Cosine, true)]
    public void OnlyAConstantRateDoesNotDependOnTheEnd(ScheduleKind kind, bool expected) =>
        Assert.Equal(expected, new ScheduleOptions { Kind = kind }.DependsOnEnd);

    private static float[] Rates(ScheduleKind kind, long warmup, int total)
    {
        LearningRateSchedule schedule = new(new() { Kind = kind, WarmupSteps = warmup }, 0.5);
        return [.. Enumerable.Range(1, total).Select(step => schedule.At(step, total))];
    }
}
