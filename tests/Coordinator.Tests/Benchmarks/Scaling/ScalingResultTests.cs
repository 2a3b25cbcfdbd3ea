using Distributed.Collectives;
using Distributed.Coordinator.Benchmarks.Scaling;
using Xunit;

namespace Distributed.Coordinator.Tests.Benchmarks.Scaling;

public sealed class ScalingResultTests
{
    private static readonly ScalingPlan Plan = new(BytesPerStep: 3 << 20, AccountedBytes: 20_000_000);

    private static readonly ScalingSample[] One = [Sample(100), Sample(200), Sample(50)];
    private static readonly ScalingSample[] Two = [Sample(190), Sample(340), Sample(90)];

    [Fact]
    public void RatiosAreTakenRoundByRound()
    {
        // 1.9, 1.7, 1.8; the ratio of the medians would be 1.9.
        var result = ScalingResult.Of(workers: 2, Two, One, Plan, ideal: 2, exchange: null);
        Assert.Equal(190, result.SamplesPerSecond);
        Assert.Equal(1.8, result.Ratio, precision: 9);
        Assert.Equal(0.9, result.OfIdeal, precision: 9);
    }

    [Fact]
    public void MemoryIsTheLargestOfAllRounds()
    {
        ScalingSample[] samples = [Sample(1) with { PeakResidentBytes = 90 }, Sample(1), Sample(1) with { PeakResidentBytes = 91 }];
        Assert.Equal(91, ScalingResult.Of(1, samples, samples, Plan, ideal: 1, exchange: null).PeakResidentBytes);
    }

    [Fact]
    public void EveryColumnOfALineStandsUnderItsHead()
    {
        var exchange = new AllReduceTimings("shm", BytesSent: 5, [0.001, 0.002, 0.003], [0.0001]);
        var line = ScalingResult
            .Of(2, [Sample(190) with { PeakResidentBytes = 120_000_000 }], [Sample(100)], Plan, ideal: 2, exchange)
            .Text();
        Assert.Equal(ScalingResult.Head.Length, line.Length);
        Assert.Equal(
            [
                "2",
                "shm",
                "190",
                "0",
                "%",
                "1.90",
                "0",
                "%",
                "95",
                "%",
                "2000.000",
                "3.00",
                "2.000",
                "0.100",
                "1.0",
                "%",
                "120",
                "20",
                "100",
            ],
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        );
    }

    [Fact]
    public void WhatIsNotKnownIsADash() =>
        Assert.Equal(4, ScalingResult.Of(1, One, One, Plan, ideal: 1, exchange: null).Text().Split(' ').Count(word => word == "-"));

    private static ScalingSample Sample(double rate) => new("shm", rate, StepSeconds: 2, CoordinatorShare: 0.01, PeakResidentBytes: null);
}
