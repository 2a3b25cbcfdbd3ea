using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public class OptimizerOptionsTests
{
    public static TheoryData<string, OptimizerOptions> Bad =>
        new()
        {
            {
                "--optimizer 9",
                new() { Kind = (OptimizerKind)9 }
            },
            {
                "--learning-rate 0:",
                new() { LearningRate = 0 }
            },
            {
                "--learning-rate -1:",
                new() { LearningRate = -1 }
            },
            {
                "--learning-rate NaN:",
                new() { LearningRate = double.NaN }
            },
            {
                "--learning-rate 1E+300:",
                new() { LearningRate = 1e300 }
            },
            {
                "--learning-rate 1E-300:",
                new() { LearningRate = 1e-300 }
            },
            {
                "--momentum 1:",
                new() { Momentum = 1 }
            },
            {
                "--momentum -0.1:",
                new() { Momentum = -0.1 }
            },
            {
                "--momentum NaN:",
                new() { Momentum = double.NaN }
            },
            {
                "--nesterov",
                new() { Nesterov = true, Momentum = 0 }
            },
            {
                "--nesterov",
                new() { Nesterov = true, Kind = OptimizerKind.Adam }
            },
            {
                "beta1 1:",
                new() { Beta1 = 1 }
            },
            {
                "beta2 -1:",
                new() { Beta2 = -1 }
            },
            {
                "epsilon 0:",
                new() { Epsilon = 0 }
            },
            {
                "--weight-decay -1:",
                new() { WeightDecay = -1 }
            },
            {
                "--weight-decay NaN:",
                new() { WeightDecay = double.NaN }
            },
            {
                "--clip-norm 0:",
                new() { ClipNorm = 0 }
            },
        };

    [Fact]
    public void DefaultsAreRight() => Assert.Empty(new OptimizerOptions().Errors());

    [Theory]
    [InlineData(OptimizerKind.Sgd, 0.1)]
    [InlineData(OptimizerKind.Adam, 0.001)]
    [InlineData(OptimizerKind.AdamW, 0.001)]
    public void EachRuleHasItsOwnLearningRate(OptimizerKind kind, double expected)
    {
        Assert.Equal(expected, new OptimizerOptions { Kind = kind }.ResolvedLearningRate);
        Assert.Equal(0.3, new OptimizerOptions { Kind = kind, LearningRate = 0.3 }.ResolvedLearningRate);
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void ABadValueIsOneLineThatNamesItAndTheRemedy(string start, OptimizerOptions options)
    {
        var error = Assert.Single(options.Errors());
        Assert.StartsWith(start, error);
        Assert.Matches(": (must be|needs) ", error);
    }

    [Fact]
    public void AllBadValuesAreReportedAtOnce() =>
        Assert.Equal(
            3,
            new OptimizerOptions
            {
                LearningRate = 0,
                Momentum = 1,
                ClipNorm = -1,
            }
                .Errors()
                .Count()
        );

    [Theory]
    [InlineData(-1, 100, "--warmup-steps -1: must be at least 0")]
    [InlineData(-1, null, "--warmup-steps -1: must be at least 0")]
    [InlineData(101, 100, "--warmup-steps 101: must be at most 100, the steps of the run")]
    public void WarmupLiesInsideOfTheRun(long steps, int? totalSteps, string error) =>
        Assert.Equal(error, Assert.Single(new ScheduleOptions { WarmupSteps = steps }.Errors(totalSteps)));

    [Fact]
    public void WarmupHasNoLimitWhileTheLengthIsNotKnown() =>
        Assert.Empty(new ScheduleOptions { WarmupSteps = 101 }.Errors(totalSteps: null));
}
