using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public class OptimizerOptionsTests
{
    public static TheoryData<string, OptimizerOptions> Bad =>
        new()
        {
            {
                "LearningRate 0:",
                new SgdOptions { LearningRate = 0 }
            },
            {
                "LearningRate -1:",
                new SgdOptions { LearningRate = -1 }
            },
            {
                "LearningRate NaN:",
                new SgdOptions { LearningRate = double.NaN }
            },
            {
                "LearningRate 1E+300:",
                new SgdOptions { LearningRate = 1e300 }
            },
            {
                "LearningRate 1E-300:",
                new SgdOptions { LearningRate = 1e-300 }
            },
            {
                "Momentum 1:",
                new SgdOptions { Momentum = 1 }
            },
            {
                "Momentum -0.1:",
                new SgdOptions { Momentum = -0.1 }
            },
            {
                "Momentum NaN:",
                new SgdOptions { Momentum = double.NaN }
            },
            {
                "Nesterov:",
                new SgdOptions { Nesterov = true, Momentum = 0 }
            },
            {
                "Beta1 1:",
                new AdamOptions { Beta1 = 1 }
            },
            {
                "Beta2 -1:",
                new AdamOptions { Beta2 = -1 }
            },
            {
                "Epsilon 0:",
                new AdamOptions { Epsilon = 0 }
            },
            {
                "WeightDecay -1:",
                new SgdOptions { WeightDecay = -1 }
            },
            {
                "WeightDecay NaN:",
                new SgdOptions { WeightDecay = double.NaN }
            },
            {
                "ClipNorm 0:",
                new SgdOptions { ClipNorm = 0 }
            },
        };

    [Fact]
    public void DefaultsAreRight() => Assert.All(OptimizerOptions.Known, options => Assert.Empty(options.Errors()));

    [Theory]
    [InlineData("sgd", 0.1)]
    [InlineData("adam", 0.001)]
    [InlineData("adamw", 0.001)]
    public void EachRuleHasItsOwnLearningRate(string name, double expected) =>
        Assert.Equal(expected, OptimizerOptions.Find(name)!.LearningRate);

    [Theory]
    [MemberData(nameof(Bad))]
    public void ABadValueIsOneLineThatNamesItAndTheRemedy(string start, OptimizerOptions options)
    {
        var error = Assert.Single(options.Errors());
        Assert.StartsWith(start, error.ToString());
        Assert.Matches("^(must be|needs) ", error.Remedy);
    }

    [Fact]
    public void AllBadValuesAreReportedAtOnce() =>
        Assert.Equal(
            3,
            new SgdOptions
            {
                LearningRate = 0,
                Momentum = 1,
                ClipNorm = -1,
            }
                .Errors()
                .Count()
        );

    [Theory]
    [InlineData(-1, 100, "WarmupSteps -1: must be at least 0")]
    [InlineData(-1, null, "WarmupSteps -1: must be at least 0")]
    [InlineData(101, 100, "WarmupSteps 101: must be at most 100, the steps of the run")]
    public void WarmupLiesInsideOfTheRun(long steps, int? totalSteps, string error) =>
        Assert.Equal(error, Assert.Single(new CosineSchedule { WarmupSteps = steps }.Errors(totalSteps)).ToString());

    [Fact]
    public void WarmupHasNoLimitWhileTheLengthIsNotKnown() =>
        Assert.Empty(new CosineSchedule { WarmupSteps = 101 }.Errors(totalSteps: null));
}
