using Distributed.Collectives;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Training;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Distributed.Coordinator.Tests.Runs;

public sealed class RunFolderTests : IDisposable
{
    private static readonly Dataset Digits = DatasetLoader.Load(new DataOptions());
    private static readonly ModelSpec Model = ModelSpec.Parse("mlp:3");
    private static readonly ParameterLayout Layout = new Network(Model, Digits.Shape, 10).Layout;
    private static readonly RunConfiguration Configuration = RunConfiguration.Resolve(new TrainingOptions(), Digits, Model.ToJson(), null);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ANameOfAFileIsRefused()
    {
        var path = _folder.File("run");
        File.WriteAllText(path, "");
        var refusal = Assert.Throws<InputException>(() => RunFolder.Create(path, Configuration, Layout));
        Assert.Equal($"--run {path}: is a file; name a folder", refusal.Message);
    }

    [Fact]
    public void ANameThatIsTooLongIsRefused()
    {
        var path = _folder.File(new string('x', 300));
        var refusal = Assert.Throws<InputException>(() => RunFolder.Create(path, Configuration, Layout));
        Assert.StartsWith($"--run {path}: cannot be made or written (", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RunsThatBeginInOneSecondGetFoldersOfTheirOwn()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var runs = new RunFolder[4];
        Parallel.For(0, runs.Length, i =>
            runs[i] = RunFolder.CreateNew(_folder.Path, new string('d', 250), "mlp", time, Configuration, Layout)
        );
        Assert.Equal(runs.Length, runs.Select(run => run.Path).Distinct().Count());
        foreach (var run in runs)
            run.Dispose();
    }

    [Fact]
    public void AFolderInUseIsRefused()
    {
        var path = _folder.File("run");
        using (RunFolder.Create(path, Configuration, Layout))
        {
            Assert.Contains(
                "is in use by another coordinator",
                Assert.Throws<FolderInUseException>(() => RunFolder.Resume(path, Configuration, Layout)).Message,
                StringComparison.Ordinal
            );
        }

        RunFolder.Resume(path, Configuration, Layout).Dispose();
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("metrics.jsonl")]
    [InlineData("summary.json")]
    [InlineData("model.safetensors")]
    public void AFolderWithTracesOfARunIsRefused(string trace)
    {
        _folder.Write(trace, "");
        var refusal = Assert.Throws<InputException>(() => RunFolder.Create(_folder.Path, Configuration, Layout));
        Assert.Contains($"already holds a run ({trace})", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEmptyFolderMayBecomeARun()
    {
        using var folder = RunFolder.Create(_folder.Path, Configuration, Layout);
        Assert.Equal(Configuration, RunFolder.ReadConfiguration(_folder.Path));
    }

    [Fact]
    public void ARunThatNeverTrainedIsTakenBack()
    {
        var path = _folder.File("run");
        RunFolder.Create(path, Configuration, Layout).Discard();
        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public void ARunThatHasTrainedIsNeverTakenBack()
    {
        var path = _folder.File("run");
        using var folder = RunFolder.Create(path, Configuration, Layout);
        folder.Metrics.Append(new StepCompleted(1, 1, 2, 0.1f, 64));
        folder.Discard();
        Assert.True(File.Exists(Path.Combine(path, "metrics.jsonl")));
    }

    [Fact]
    public void AResumedRunIsNotTakenBackEvenIfItNeverTrainedAStep()
    {
        var path = _folder.File("run");
        RunFolder.Create(path, Configuration, Layout).Dispose();
        using (var folder = RunFolder.Resume(path, Configuration, Layout))
            folder.Discard();
        Assert.True(RunFolder.Holds(path));
    }

    [Fact]
    public void TheEpochRisesWithEveryCoordinator()
    {
        var path = _folder.File("run");
        using (var folder = RunFolder.Create(path, Configuration, Layout))
            Assert.Equal(1, folder.RaiseEpoch());
        using (var folder = RunFolder.Resume(path, Configuration, Layout))
            Assert.Equal(2, folder.RaiseEpoch());
    }

    [Fact]
    public void ANewNameSaysWhenAndWhat()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.FromHours(2)));
        Assert.Equal(Path.Combine("runs", "20260131-100000-digits-mlp-64-32"), RunFolder.NewName("runs", "digits", "mlp:64,32", time));
        Assert.Equal(
            Path.Combine("runs", "20260131-100000-my-flowers.csv-net"),
            RunFolder.NewName("runs", "my flowers.csv", "models/net.json", time)
        );
    }

    [Fact]
    public void LossesAreLoggedExactlyAndCutBack()
    {
        var path = _folder.File("metrics.jsonl");
        float[] losses = [0.1f, float.BitIncrement(2), float.Epsilon, 1e30f];
        using var log = new MetricsLog(path);
        for (var step = 1; step <= losses.Length; step++)
            log.Append(new StepCompleted(step, 1, losses[step - 1], 0.1f, 64));
        log.Append(new Evaluated(4, 0.5, [new Metric("accuracy", 0.25)]));
        Assert.Equal(
            losses,
            MetricsLog
                .LossTexts(path)
                .OrderBy(pair => pair.Key)
                .Select(pair => float.Parse(pair.Value, System.Globalization.CultureInfo.InvariantCulture))
        );

        log.Truncate(Positions.AfterEvaluation(2));
        log.Append(new StepCompleted(3, 1, 7, 0.1f, 64));
        Assert.Equal([1, 2, 3], MetricsLog.LossTexts(path).Keys.Order());
        Assert.Equal("7", MetricsLog.LossTexts(path)[3]);
    }

    [Fact]
    public void TheLossOfTheLastEpochIsWeightedByItsSamples()
    {
        using var log = new MetricsLog(_folder.File("metrics.jsonl"));
        log.Append(new StepCompleted(1, 1, 100, 0.1f, 64));
        log.Append(new StepCompleted(2, 2, 1, 0.1f, 30));
        log.Append(new StepCompleted(3, 2, 4, 0.1f, 10));
        Assert.Equal(1.75, log.LastEpochLoss());
    }
}
