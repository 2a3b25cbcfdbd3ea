using Distributed.Data;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Shared.Tests.Training;

/// <summary>Two numbers that follow from three: 330 samples in odd batches, of which every fifth is held back.</summary>
internal static class NumberRun
{
    public static float[][] Features { get; } =
    [.. Enumerable.Range(0, 330).Select(i => new[] { (i * 37 % 101 / 10f) - 5, i * 53 % 89 / 8f, i % 7 })];

    public static double[][] Targets { get; } =
    [.. Features.Select(x => new[] { 2e5 + (3e4 * x[0]) - (1e4 * x[1] * x[2]), (0.01 * x[1]) + (0.002 * x[0] * x[0]) })];

    public static Dataset Data { get; } = Dataset.FromArrays(Features, Targets, new ArrayOptions { TargetNames = ["price", "share"] });

    /// <summary>The same with samples that count for 1/2 to 3.</summary>
    public static Dataset Weighted { get; } =
        Dataset.FromArrays(
            Features,
            Targets,
            new ArrayOptions { TargetNames = ["price", "share"], Weights = [.. Features.Select((_, i) => 0.5 + (i % 6 / 2.0))] }
        );

    public static TrainingOptions Options(RegressionLoss loss = RegressionLoss.Squared) =>
        new()
        {
            Model = "mlp:33",
            BatchSize = 100,
            Microbatch = 7,
            Steps = 7,
            EvalEvery = 3,
            Optimizer = new SgdOptions { LearningRate = 0.05 },
            Loss = loss,
        };
}
