using Distributed.Data;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class TrainingOptionsTests
{
    public static TheoryData<TrainingOptions, string> BadValues =>
        new()
        {
            {
                new() { BatchSize = 0 },
                "BatchSize 0: must be from 1 to 1048576"
            },
            {
                new() { BatchSize = 1 << 21 },
                "BatchSize 2097152: must be from 1 to 1048576"
            },
            {
                new() { Microbatch = 0 },
                "Microbatch 0: must be at least 1"
            },
            {
                new() { BatchSize = 8, Microbatch = 9 },
                "Microbatch 9: must be at most the batch size, 8"
            },
            {
                new() { Epochs = 0 },
                "Epochs 0: must be at least 1"
            },
            {
                new() { Steps = -1 },
                "Steps -1: must be at least 1"
            },
            {
                new() { Epochs = 2, Steps = 3 },
                "Steps 3: cannot be given together with Epochs; leave one of them out"
            },
            {
                new() { LabelSmoothing = 1 },
                "LabelSmoothing 1: must be from 0 to below 1"
            },
            {
                new() { LabelSmoothing = -0.5 },
                "LabelSmoothing -0.5: must be from 0 to below 1"
            },
            {
                new() { LabelSmoothing = double.NaN },
                "LabelSmoothing NaN: must be from 0 to below 1"
            },
            {
                new() { CheckpointEvery = 0 },
                "CheckpointEvery 0: must be at least 1 step"
            },
            {
                new() { EvalEvery = 0 },
                "EvalEvery 0: must be at least 1 step"
            },
        };

    [Theory]
    [MemberData(nameof(BadValues), DisableDiscoveryEnumeration = true)]
    public void ABadValueIsNamedWithWhatWouldBeRight(TrainingOptions options, string message) =>
        Assert.Contains(message, options.Validate().Select(error => error.ToString()));

    [Fact]
    public void AllBadValuesAreNamedAtOnce()
    {
        var options = new TrainingOptions
        {
            BatchSize = 0,
            Epochs = 0,
            EvalEvery = 0,
            Optimizer = new SgdOptions { Momentum = 2 },
            Schedule = new CosineSchedule { WarmupSteps = -1 },
        };
        Assert.Equal(5, options.Validate().Count);
    }

    [Fact]
    public void TheDefaultsAreValid()
    {
        var options = new TrainingOptions();
        Assert.Empty(options.Validate());
        Assert.Equal(64, options.BatchSize);
        Assert.Equal(32, options.ResolvedMicrobatch);
        Assert.Equal(100, options.TotalSteps(stepsPerEpoch: 10));
    }

    [Fact]
    public void ASmallBatchIsOneMicrobatch() => Assert.Equal(5, new TrainingOptions { BatchSize = 5 }.ResolvedMicrobatch);

    [Fact]
    public void TheDataIsDigitsUnlessToldOtherwise() => Assert.Equal("digits", new TrainingOptions().Data.Data);

    [Fact]
    public void AWarmUpLongerThanTheRunIsRefusedWhenTheLengthIsKnown()
    {
        var digits = DatasetLoader.Load(new DataOptions());
        var options = new TrainingOptions
        {
            Epochs = 1,
            Schedule = new CosineSchedule { WarmupSteps = 1000 },
        };
        var refusal = Assert.Throws<InvalidOptionsException>(() => RunConfiguration.Resolve(options, digits, "{\"layers\":[]}", null));
        Assert.Equal("TrainingOptions.Schedule.WarmupSteps 1000: must be at most 23, the steps of the run", refusal.Message);
    }

    [Fact]
    public void ARefusalNamesEveryPropertyByItsPath()
    {
        var options = new TrainingOptions
        {
            Epochs = 2,
            Steps = 3,
            Optimizer = new SgdOptions { Momentum = 0, Nesterov = true },
        };
        Assert.Equal(
            "TrainingOptions.Steps 3: cannot be given together with TrainingOptions.Epochs; leave one of them out\n"
                + "TrainingOptions.Optimizer.Nesterov: needs a TrainingOptions.Optimizer.Momentum above 0",
            Assert.Throws<InvalidOptionsException>(options.ThrowIfInvalid).Message
        );
    }
}
