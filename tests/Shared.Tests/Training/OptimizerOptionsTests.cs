using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public class OptimizerOptionsTests
{
    public static TheoryData<string, OptimizerOptions> Bad => new()
    {
        { "--optimizer 9", new() { Kind = (OptimizerKind)9 } },
        { "--learning-rate is 0", new() { LearningRate = 0 } },
        { "--learning-rate is -1", new() { LearningRate = -1 } },
        { "--learning-rate is NaN", new() { LearningRate = double.NaN } },
        { "--learning-rate is 1E+300", new() { LearningRate = 1e300 } },
        { "--learning-rate is 1E-300", new() { LearningRate = 1e-300 } },
        { "--momentum is 1", new() { Momentum = 1 } },
        { "--momentum is -0.1", new() { Momentum = -0.1 } },
        { "--momentum is NaN", new() { Momentum = double.NaN } },
        { "--nesterov", new() { Nesterov = true, Momentum = 0 } },
        { "--nesterov", new() { Nesterov = true, Kind = OptimizerKind.Adam } },
        { "beta1 is 1", new() { Beta1 = 1 } },
        { "beta2 is -1", new() { Beta2 = -1 } },
        { "epsilon is 0", new() { Epsilon = 0 } },
        { "--weight-decay is -1", new() { WeightDecay = -1 } },
        { "--weight-decay is NaN", new() { WeightDecay = double.NaN } },
        { "--clip-norm is 0", new() { ClipNorm = 0 } },
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
        string error = Assert.Single(options.Errors());
        Assert.StartsWith(start, error);
        Assert.Contains(": use ", error);
    }

    [Fact]
    public void AllBadValuesAreReportedAtOnce() =>
        Assert.Equal(3, new OptimizerOptions { LearningRate = 0, Momentum = 1, ClipNorm = -1 }.Errors().Count());

    [Theory]
    [InlineData(-1)]
    [InlineData(101)]
    public void WarmupLiesInsideOfTheRun(long steps) =>
        Assert.Contains($"--warmup-steps is {steps}: use 0 to 100", Assert.Single(new ScheduleOptions { WarmupSteps = steps }.Errors(totalSteps: 100)));
}
