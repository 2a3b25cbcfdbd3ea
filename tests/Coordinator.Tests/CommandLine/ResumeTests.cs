using System.Text.Json;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class ResumeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AResumedRunEndsInTheBitsAndMetricsOfOneThatNeverStopped()
    {
        string whole = _folder.File("whole"),
            cut = _folder.File("cut");
        await CommandRunner.TrainAsync(whole, "--steps 22 --checkpoint-every 4");
        await CommandRunner.TrainAsync(cut, "--steps 22 --checkpoint-every 4");
        CutBackTo(cut, step: 16);

        var resumed = await CommandRunner.RunAsync("train", "--resume", "--run", cut, "--workers", "0", "--threads", "2");
        Assert.Equal(0, resumed.ExitCode);
        Assert.Equal(Hash(whole), Hash(cut));
        Assert.Equal(File.ReadAllText(Path.Combine(whole, "metrics.jsonl")), File.ReadAllText(Path.Combine(cut, "metrics.jsonl")));
        Assert.Equal(TrainLoss(whole), TrainLoss(cut));
    }

    [Fact]
    public async Task ADamagedCheckpointIsSkippedWithAWarning()
    {
        string whole = _folder.File("whole"),
            cut = _folder.File("cut");
        await CommandRunner.TrainAsync(whole, "--steps 10 --checkpoint-every 2");
        await CommandRunner.TrainAsync(cut, "--steps 10 --checkpoint-every 2");
        CutBackTo(cut, step: 8);
        File.WriteAllBytes(Path.Combine(cut, "checkpoints", "step-8.safetensors"), [1, 2, 3]);

        var resumed = await CommandRunner.RunAsync("train", "--resume", "--run", cut, "--workers", "0");
        Assert.Contains("step-8.safetensors", Assert.Single(resumed.Errors), StringComparison.Ordinal);
        Assert.Equal(Hash(whole), Hash(cut));
    }

    // The default batch of 64 could not be cut into microbatches of 90.
    [Fact]
    public async Task AnOptionOfTheRunMayBeRepeatedAlone()
    {
        var run = _folder.File("run");
        await CommandRunner.RunAsync(
            "train",
            "--workers",
            "0",
            "--model",
            "mlp:9",
            "--steps",
            "2",
            "--batch-size",
            "100",
            "--microbatch",
            "90",
            "--run",
            run
        );
        var resumed = await CommandRunner.RunAsync("train", "--resume", "--run", run, "--workers", "0", "--microbatch", "90");
        Assert.Equal((0, 0), (resumed.ExitCode, resumed.Errors.Count));
    }

    [Fact]
    public async Task ARunWithoutACheckpointBeginsAgain()
    {
        string whole = _folder.File("whole"),
            cut = _folder.File("cut");
        await CommandRunner.TrainAsync(whole, "--steps 5");
        await CommandRunner.TrainAsync(cut, "--steps 5");
        CutBackTo(cut, step: 0);
        Assert.Equal(0, (await CommandRunner.RunAsync("train", "--resume", "--run", cut, "--workers", "0")).ExitCode);
        Assert.Equal(Hash(whole), Hash(cut));
    }

    [Fact]
    public async Task ALaterEndGoesThroughTheStatesOfTheLongerRun()
    {
        string whole = _folder.File("whole"),
            shorter = _folder.File("shorter");
        await CommandRunner.TrainAsync(whole, "--steps 9 --schedule constant");
        await CommandRunner.TrainAsync(shorter, "--steps 5 --schedule constant");
        var resumed = await CommandRunner.RunAsync("train", "--resume", "--run", shorter, "--workers", "0", "--steps", "9");
        Assert.Equal(0, resumed.ExitCode);
        Assert.Equal(Hash(whole), Hash(shorter));
    }

    [Fact]
    public async Task ARunWithTheConstantsOfItsOptimizerGoesOnWithThem()
    {
        string whole = _folder.File("whole"),
            cut = _folder.File("cut");
        await CommandRunner.TrainAsync(whole, "--steps 6 --checkpoint-every 2 --optimizer adam --beta1 0.5 --epsilon 1e-3");
        await CommandRunner.TrainAsync(cut, "--steps 6 --checkpoint-every 2 --optimizer adam --beta1 0.5 --epsilon 1e-3");
        CutBackTo(cut, step: 4);
        var resumed = await CommandRunner.RunAsync("train", "--resume", "--run", cut, "--workers", "0", "--beta1", "0.5");
        Assert.Empty(resumed.Errors);
        Assert.Equal(Hash(whole), Hash(cut));
        var changed = await CommandRunner.RunAsync("train", "--resume", "--run", cut, "--workers", "0", "--beta1", "0.6");
        Assert.Contains("optimizer.beta1: the run has 0.5, this command says 0.6", Assert.Single(changed.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--batch-size 50", "batchSize: the run has 100, this command says 50")]
    [InlineData("--seed 2", "seed: the run has 1, this command says 2")]
    [InlineData("--steps 9", "steps: the run has 4, this command says 9; schedule cosine depends on the end")]
    [InlineData("--model mlp:8", "model: the run has")]
    [InlineData("--learning-rate 1", "optimizer.learningRate: the run has 0.1, this command says 1")]
    public async Task AnotherConfigurationIsRefusedWithBothValues(string options, string message)
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, "--steps 4");
        var outcome = await CommandRunner.RunAsync(["train", "--resume", "--run", run, "--workers", "0", .. options.Split(' ')]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(message, Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ChangedDataIsRefused()
    {
        var data = _folder.Write("points.csv", Points(100));
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, $"--steps 4 --data {data}");
        File.WriteAllText(data, Points(101));
        var outcome = await CommandRunner.RunAsync("train", "--resume", "--run", run, "--workers", "0");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("datasetSha256: the run has", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACompleteRunSaysSoAgain()
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, "--steps 4");
        var summary = File.ReadAllText(Path.Combine(run, "summary.json"));
        var outcome = await CommandRunner.RunAsync("train", "--resume", "--run", run, "--workers", "0", "--quiet");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains(Hash(run), outcome.Output, StringComparison.Ordinal);
        Assert.Equal(summary, File.ReadAllText(Path.Combine(run, "summary.json")));
    }

    [Fact]
    public async Task AFolderWithoutARunIsRefused()
    {
        var outcome = await CommandRunner.RunAsync("train", "--resume", "--run", _folder.Path, "--workers", "0");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("holds no run", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    /// <summary>What a run leaves that was killed after the checkpoint of a step, in the middle of logging a later one.</summary>
    private static void CutBackTo(string run, long step)
    {
        File.Delete(Path.Combine(run, "summary.json"));
        File.Delete(Path.Combine(run, "model.safetensors"));
        foreach (var checkpoint in Directory.GetFiles(Path.Combine(run, "checkpoints")))
        {
            if (
                long.Parse(
                    Path.GetFileNameWithoutExtension(checkpoint)["step-".Length..],
                    System.Globalization.CultureInfo.InvariantCulture
                ) > step
            )
            {
                File.Delete(checkpoint);
            }
        }
        var metrics = Path.Combine(run, "metrics.jsonl");
        var text = File.ReadAllText(metrics);
        File.WriteAllText(metrics, text[..^20]);
    }

    private static string Points(int count) =>
        "x,y,class\n" + string.Concat(Enumerable.Range(0, count).Select(i => $"{i % 10},{i % 7},{(i % 10 > 4 ? "high" : "low")}\n"));

    private static string Hash(string run) => Summary(run).GetProperty("weightsSha256").GetString()!;

    private static double TrainLoss(string run) => Summary(run).GetProperty("trainLoss").GetDouble();

    private static JsonElement Summary(string run) => JsonElement.Parse(File.ReadAllText(Path.Combine(run, "summary.json")));
}
