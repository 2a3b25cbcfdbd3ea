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
        Assert.Equal(0.1, Default.Options.Optimizer.LearningRate);
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
                Optimizer = new AdamWOptions
                {
                    LearningRate = 0.1 + 0.2,
                    ClipNorm = 1,
                    WeightDecay = 1e-3,
                },
                Schedule = new ConstantSchedule { WarmupSteps = 2 },
                LabelSmoothing = 0.1,
                Seed = ulong.MaxValue,
                Shuffle = false,
            }
        );
        Assert.Equal(full, RunConfigurationJson.Read(RunConfigurationJson.Write(full), "config.json"));
    }

    [Fact]
    public void TheOptionsOfAConfigurationResolveToIt() => Assert.Equal(Default, Resolve(Default.Options));

    [Fact]
    public void EnumerationsAreWrittenAsTheCommandLineHasThem()
    {
        var json = RunConfigurationJson.Write(Resolve(new TrainingOptions { Optimizer = new AdamWOptions() }));
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
    [InlineData("\"kind\": \"sgd\"", "\"kind\": \"sdg\"", "'kind' is sdg, which is no optimizer")]
    [InlineData("\"kind\": \"cosine\"", "\"kind\": \"sine\"", "'kind' is sine, which is no schedule")]
    [InlineData("\"momentum\": 0.9", "\"momentum\": \"much\"", "'momentum' is \"much\", which is not a number")]
    [InlineData("\"momentum\": 0.9", "\"momentum\": 0.9, \"alpha\": 1", "'alpha' is no constant of sgd")]
    [InlineData("\"microbatch\": 32", "\"microbatch\": null", "a number is null")]
    [InlineData("\"steps\": 230", "\"steps\": 230, \"epochs\": 10", "epochs")]
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
    public void AnOptimizerMayHaveConstantsOfItsOwnBesideOnesThatOthersHaveAsWell()
    {
        var other = With(options => options with { Optimizer = new OtherOptimizer { Momentum = 0.25 } });
        var fields = RunConfigurationJson
            .Fields(other)
            .Where(field => field.Key.StartsWith("optimizer.", StringComparison.Ordinal))
            .ToList();
        Assert.Equal("0.25", Assert.Single(fields, field => field.Key == "optimizer.momentum").Value);
        Assert.Equal("0.5", Assert.Single(fields, field => field.Key == "optimizer.alpha").Value);

        var differences = ResumeRule.Errors(Default, other);

        Assert.Equal(4, differences.Count); // kind, learningRate, momentum, alpha
        Assert.Contains("optimizer.alpha: the run has nothing, this command says 0.5; it cannot change when a run is resumed", differences);
    }

    [Fact]
    public void ResumingAllowsAnotherPlaceAndNothingElse()
    {
        Assert.Empty(ResumeRule.Errors(Default, With(options => options with { Data = options.Data with { DataDir = "/elsewhere" } })));
        Assert.Equal(
            "batchSize: the run has 64, this command says 32; it cannot change when a run is resumed",
            Assert.Single(ResumeRule.Errors(Default, With(options => options with { BatchSize = 32 })))
        );
        Assert.Equal(
            "optimizer.learningRate: the run has 0.1, this command says 0.2; it cannot change when a run is resumed",
            Assert.Single(
                ResumeRule.Errors(Default, With(options => options with { Optimizer = options.Optimizer with { LearningRate = 0.2 } }))
            )
        );
        Assert.Contains(
            "datasetSha256: the run has",
            Assert.Single(ResumeRule.Errors(Default, Default with { DatasetSha256 = "00" })),
            StringComparison.Ordinal
        );
        Assert.Equal(
            "labelSmoothing: the run has 0, this command says 0.1; it cannot change when a run is resumed",
            Assert.Single(ResumeRule.Errors(Default, With(options => options with { LabelSmoothing = 0.1 })))
        );
        Assert.Equal(2, ResumeRule.Errors(Default, With(options => options with { Seed = 2, Shuffle = false })).Count);
    }

    [Fact]
    public void ALaterEndIsAllowedOnlyUnderAScheduleThatDoesNotDependOnIt()
    {
        var constant = With(options => options with { Schedule = new ConstantSchedule() });
        Assert.Empty(ResumeRule.Errors(constant, Ending(constant, constant.Steps + 1)));
        Assert.Single(ResumeRule.Errors(constant, Ending(constant, constant.Steps - 1)));
        Assert.Contains(
            "schedule cosine depends on the end",
            Assert.Single(ResumeRule.Errors(Default, Ending(Default, 460))),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void TheHashTellsRunsOfAnotherCourseApartAndNoOthers()
    {
        var constant = With(options => options with { Schedule = new ConstantSchedule() });
        Assert.NotEqual(RunConfigurationJson.Hash(Default), RunConfigurationJson.Hash(With(options => options with { Seed = 2 })));
        Assert.NotEqual(RunConfigurationJson.Hash(Default), RunConfigurationJson.Hash(Ending(Default, 9)));
        Assert.Equal(RunConfigurationJson.Hash(constant), RunConfigurationJson.Hash(Ending(constant, 9)));
        Assert.Equal(
            RunConfigurationJson.Hash(Default),
            RunConfigurationJson.Hash(With(options => options with { Data = options.Data with { DataDir = "/elsewhere" } }))
        );
    }

    [Theory]
    [InlineData("sgd", "dd9762617c4feed5c594422b4c0bf33bc798211032a4df854bf84b173b2fbf6d")]
    [InlineData("adam-with-momentum", "87eb29d9567d844021998579efbe8678c218d6149a37bca8290c13ca1d45a0a4")]
    [InlineData("adamw-in-steps", "1be51978f268ae9cb2dde25f6fd22de470a00882fc5c1326b5d791211b7d8ddf")]
    public void AFileOfTheFirstVersionIsReadHashedAndWrittenAsThen(string name, string hash)
    {
        var json = Resources.Text($"configurations/{name}.json");
        var configuration = RunConfigurationJson.Read(json, name);
        Assert.Equal(hash, RunConfigurationJson.Hash(configuration));
        Assert.Equal(json, RunConfigurationJson.Write(configuration));
    }

    [Fact]
    public void ConstantsOfAnotherOptimizerAreWrittenAsTheirDefaults()
    {
        var json = RunConfigurationJson.Write(With(options => options with { Optimizer = new AdamOptions { Beta1 = 0.5 } }));
        Assert.Contains(
            "\"momentum\": 0.9,\n    \"nesterov\": false,\n    \"beta1\": 0.5,\n    \"beta2\": 0.999,\n    \"epsilon\": 1E-08,",
            json,
            StringComparison.Ordinal
        );
    }

    private static RunConfiguration With(Func<TrainingOptions, TrainingOptions> change) =>
        Default with
        {
            Options = change(Default.Options),
        };

    private static RunConfiguration Ending(RunConfiguration configuration, long steps) =>
        configuration with
        {
            Options = configuration.Options with { Steps = steps },
        };

    private static RunConfiguration Resolve(TrainingOptions options) =>
        RunConfiguration.Resolve(options, Digits, "{\"layers\":[{\"type\":\"relu\"}]}", null);

    /// <summary>An optimizer with a constant that no other has, and one of a name that sgd has too.</summary>
    private sealed record OtherOptimizer() : OptimizerOptions(learningRate: 0.5)
    {
        public override string Name => "other";

        public double Momentum { get; init; }

        internal override IReadOnlyList<OptimizerConstant> Constants { get; } =
        [
            OptimizerConstant.Number<OtherOptimizer>(
                nameof(Momentum),
                "",
                "0",
                other => other.Momentum,
                (other, value) => other with { Momentum = value }
            ),
            OptimizerConstant.Number<OtherOptimizer>("Alpha", "", "0", _ => 0.5, (other, _) => other),
        ];

        internal override Optimizer CreateOptimizer() => throw new NotSupportedException();

        private protected override IEnumerable<OptionError> ConstantErrors() => [];
    }
}
