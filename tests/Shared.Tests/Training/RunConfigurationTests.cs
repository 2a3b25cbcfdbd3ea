using Distributed.Data;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class RunConfigurationTests
{
    private static readonly Dataset Digits = DatasetLoader.Load(new DataOptions());
    private static readonly RunConfiguration Default = Resolve(new TrainingOptions());

    [Fact]
    public void NothingIsLeftToDefaults()
    {
        Assert.Equal(230, Default.Steps);
        Assert.Equal(32, Default.Microbatch);
        Assert.Equal(0.1, Default.Optimizer.LearningRate);
        Assert.Equal(23, Default.EvalEvery);
        Assert.Equal(23, Default.CheckpointEvery);
        Assert.Equal(Digits.Sha256, Default.DatasetSha256);
    }

    [Fact]
    public void JsonGivesTheSameConfiguration()
    {
        var full = Resolve(
            new TrainingOptions
            {
                Data = new DataOptions
                {
                    Standardize = false,
                    Header = true,
                    Test = "test.csv",
                },
                Steps = 7,
                Optimizer = new()
                {
                    Kind = OptimizerKind.AdamW,
                    LearningRate = 0.1 + 0.2,
                    ClipNorm = 1,
                    WeightDecay = 1e-3,
                },
                Schedule = new() { Kind = ScheduleKind.Constant, WarmupSteps = 2 },
                LabelSmoothing = 0.1,
                Seed = ulong.MaxValue,
                Shuffle = false,
            }
        );
        Assert.Equal(full, RunConfigurationJson.Read(RunConfigurationJson.Write(full), "config.json"));
    }

    [Fact]
    public void TheOptionsOfAConfigurationResolveToIt() => Assert.Equal(Default, Resolve(Default.ToOptions()));

    [Fact]
    public void EnumerationsAreWrittenAsTheCommandLineHasThem()
    {
        var json = RunConfigurationJson.Write(Resolve(new TrainingOptions { Optimizer = new() { Kind = OptimizerKind.AdamW } }));
        Assert.Contains("\"kind\": \"adamw\"", json, StringComparison.Ordinal);
        Assert.Contains("\"kind\": \"cosine\"", json, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"seed\": 1", "\"seed\": 1, \"sead\": 2", "sead")]
    [InlineData("\"seed\": 1,", "", "seed")]
    [InlineData("\"momentum\": 0.9,", "", "optimizer.momentum missing")]
    [InlineData("\"seed\": 1", "\"seed\": \"one\"", "seed")]
    [InlineData("\"seed\": 1", "\"seed\": 1, \"seed\": 2", "seed")]
    [InlineData("\"kind\": \"sgd\"", "\"kind\": 0", "kind")]
    [InlineData("\"numericsVersion\": 1", "\"numericsVersion\": 99", "its numerics version is 99, this program's is 1")]
    [InlineData("\"numericsVersion\": 1,", "", "'numericsVersion' is missing")]
    [InlineData("{", "", "config.json: not a run's configuration")]
    public void AFileThatWasChangedIsRefused(string from, string to, string message)
    {
        var json = RunConfigurationJson.Write(Default);
        var position = json.IndexOf(from, StringComparison.Ordinal);
        var changed = json.Remove(position, from.Length).Insert(position, to);
        var refusal = Assert.Throws<InputException>(() => RunConfigurationJson.Read(changed, "config.json"));
        Assert.StartsWith("config.json: ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(message, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ResumingAllowsAnotherPlaceAndNothingElse()
    {
        Assert.Empty(ResumeRule.Errors(Default, Default with { Data = Default.Data with { DataDir = "/elsewhere" } }));
        Assert.Equal(
            "batchSize: the run has 64, this command says 32; it cannot change when a run is resumed",
            Assert.Single(ResumeRule.Errors(Default, Default with { BatchSize = 32 }))
        );
        Assert.Equal(
            "optimizer.learningRate: the run has 0.1, this command says 0.2; it cannot change when a run is resumed",
            Assert.Single(ResumeRule.Errors(Default, Default with { Optimizer = Default.Optimizer with { LearningRate = 0.2 } }))
        );
        Assert.Contains(
            "datasetSha256: the run has",
            Assert.Single(ResumeRule.Errors(Default, Default with { DatasetSha256 = "00" })),
            StringComparison.Ordinal
        );
        Assert.Equal(
            "labelSmoothing: the run has 0, this command says 0.1; it cannot change when a run is resumed",
            Assert.Single(ResumeRule.Errors(Default, Default with { LabelSmoothing = 0.1 }))
        );
        Assert.Equal(2, ResumeRule.Errors(Default, Default with { Seed = 2, Shuffle = false }).Count);
    }

    [Fact]
    public void ALaterEndIsAllowedOnlyUnderAScheduleThatDoesNotDependOnIt()
    {
        var constant = Default with { Schedule = new() { Kind = ScheduleKind.Constant } };
        Assert.Empty(ResumeRule.Errors(constant, constant with { Steps = constant.Steps + 1 }));
        Assert.Single(ResumeRule.Errors(constant, constant with { Steps = constant.Steps - 1 }));
        Assert.Contains(
            "schedule cosine depends on the end",
            Assert.Single(ResumeRule.Errors(Default, Default with { Steps = 460 })),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void TheHashTellsRunsOfAnotherCourseApartAndNoOthers()
    {
        var constant = Default with { Schedule = new() { Kind = ScheduleKind.Constant } };
        Assert.NotEqual(RunConfigurationJson.Hash(Default), RunConfigurationJson.Hash(Default with { Seed = 2 }));
        Assert.NotEqual(RunConfigurationJson.Hash(Default), RunConfigurationJson.Hash(Default with { Steps = 9 }));
        Assert.Equal(RunConfigurationJson.Hash(constant), RunConfigurationJson.Hash(constant with { Steps = 9 }));
        Assert.Equal(
            RunConfigurationJson.Hash(Default),
            RunConfigurationJson.Hash(Default with { Data = Default.Data with { DataDir = "/elsewhere" } })
        );
    }

    private static RunConfiguration Resolve(TrainingOptions options) =>
        RunConfiguration.Resolve(options, Digits, "{\"layers\":[{\"type\":\"relu\"}]}", null);
}
