using Distributed.Coordinator.Benchmarks.Scaling;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Benchmarks.Scaling;

public sealed class ScalingPlanTests
{
    private static readonly RunPreparation Run = RunPreparation.Load(
        new TrainingOptions
        {
            Model = "mlp:16",
            BatchSize = 256,
            Microbatch = 32,
            Steps = 1,
        }
    );

    // 64 inputs, 16 hidden, 10 classes.
    private const long Parameters = (65 * 16) + (17 * 10);

    [Fact]
    public void AWorkerAloneSendsNothing() => Assert.Equal(0, ScalingPlan.Of(Run, workers: 1).BytesPerStep);

    [Fact]
    public void TwoWorkersSendTheVectorOnce() =>
        Assert.InRange(ScalingPlan.Of(Run, workers: 2).BytesPerStep, Parameters * 4, (Parameters * 4) + 256);

    [Fact]
    public void RangesThatAreNotAlignedSendMore() =>
        Assert.True(ScalingPlan.Of(Run, workers: 3).BytesPerStep > ScalingPlan.Of(Run, workers: 4).BytesPerStep * 5 / 4);

    [Fact]
    public void ActivationsAreThoseOfTheWorkersOwnSamples()
    {
        long two = ScalingPlan.Of(Run, workers: 2).AccountedBytes,
            eight = ScalingPlan.Of(Run, workers: 8).AccountedBytes;
        var perRow = (two - eight) / (128 - 32);
        Assert.Equal(eight, (5 * Parameters * sizeof(float)) + (32 * perRow)); // momentum SGD: two vectors, twice, and the gradient
        Assert.InRange(perRow, (64 + 16 + 10) * sizeof(float), 4 * (64 + 16 + 10) * sizeof(float));
    }

    [Theory]
    [InlineData(1, 1, 2, 1)]
    [InlineData(2, 1, 2, 2)]
    [InlineData(4, 1, 2, 2)]
    [InlineData(2, 2, 2, 1)]
    [InlineData(2, 4, 2, 1)]
    [InlineData(4, 2, 6, 3)]
    public void NoMoreCanBeGainedThanTheCoresAllow(int workers, int threads, int cores, double ideal) =>
        Assert.Equal(ideal, ScalingPlan.Ideal(workers, threads, cores));
}
