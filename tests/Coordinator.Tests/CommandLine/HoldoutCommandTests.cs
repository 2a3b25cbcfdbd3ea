using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

/// <summary>
/// A held-out part from the command line on: what it shows, when it stops a run, and what a run that goes on knows of it.
/// </summary>
public sealed class HoldoutCommandTests : IDisposable
{
    // At this rate the loss rises and falls.
    private const string Restless =
        "--learning-rate 2 --schedule constant --eval-every 2 --checkpoint-every 7 --keep-checkpoints 1 --holdout 0.2 --patience 3";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheHeldOutPartIsShownBesideTheTestSet()
    {
        var run = _folder.File("run");
        var outcome = await CommandRunner.RunAsync([
            "train",
            "--run",
            run,
            .. $"{CommandRunner.Tiny} --steps 4 --eval-every 4 --holdout 0.25 --json".Split(' '),
        ]);
        Assert.Equal((0, ""), (outcome.ExitCode, string.Join('\n', outcome.Errors)));
        var line = JsonElement.Parse(File.ReadLines(Path.Combine(run, "metrics.jsonl")).Last());
        Assert.Equal(
            ["step", "testLoss", "testAccuracy", "holdoutLoss", "holdoutAccuracy"],
            line.EnumerateObject().Select(field => field.Name)
        );
        var told = outcome
            .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(text => JsonElement.Parse(text))
            .Single(one => one.GetProperty("event").GetString() == "evaluated");
        Assert.Equal(line.GetProperty("holdoutLoss").GetDouble(), told.GetProperty("holdoutLoss").GetDouble());
        var summary = Summary(run);
        Assert.Equal(line.GetProperty("holdoutLoss").GetDouble(), summary.GetProperty("holdoutLoss").GetDouble());
        Assert.Equal(line.GetProperty("holdoutAccuracy").GetDouble(), summary.GetProperty("holdoutAccuracy").GetDouble());
        Assert.Equal(summary.GetProperty("holdoutLoss").GetDouble(), summary.GetProperty("bestHoldoutLoss").GetDouble());
        Assert.False(summary.TryGetProperty("stoppedEarly", out _));
        Assert.Equal("0.25", Config(run).GetProperty("data").GetProperty("holdout").GetString());
    }

    [Theory]
    [InlineData("holdout", "loss", 287)]
    [InlineData("train", "samples", 1151)]
    [InlineData("all", "samples", 1797)]
    public async Task APartIsJudgedAsItWasInTraining(string part, string figure, int samples)
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, "--steps 4 --holdout 0.2");
        var eval = await CommandRunner.RunAsync("eval", run, "--part", part, "--json");
        Assert.Equal(0, eval.ExitCode);
        var result = JsonElement.Parse(eval.Output);
        Assert.Equal(samples, result.GetProperty("samples").GetInt32());
        if (figure == "loss")
            Assert.Equal(Summary(run).GetProperty("holdoutLoss").GetDouble(), result.GetProperty("loss").GetDouble(), 1e-4);
    }

    [Fact]
    public async Task NothingThatIsNotHeldOutIsJudged()
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, "--steps 4");
        var eval = await CommandRunner.RunAsync("eval", run, "--part", "holdout");
        Assert.Equal(
            (2, "error: --part holdout: nothing of digits is held out; say --holdout FRACTION|PATH"),
            (eval.ExitCode, Assert.Single(eval.Errors))
        );
    }

    [Fact]
    public async Task ARunThatHasStoppedToImproveEndsWithTheBestWeights()
    {
        var run = _folder.File("run");
        var outcome = await CommandRunner.TrainAsync(run, $"--steps 200 {Restless}");
        Assert.Equal(0, outcome.ExitCode);
        var best = Evaluations(run).MinBy(evaluation => evaluation.Holdout); // of equal ones the first
        var summary = Summary(run);
        Assert.Equal(best.Step + 6, summary.GetProperty("steps").GetInt64());
        Assert.Equal(best.Step, summary.GetProperty("bestStep").GetInt64());
        Assert.Equal((best.Holdout, best.Test), (Number(summary, "holdoutLoss"), Number(summary, "testLoss")));
        Assert.True(summary.GetProperty("stoppedEarly").GetBoolean());
        Assert.Equal(
            $"the held-out loss has not improved in 3 evaluations since step {best.Step}",
            summary.GetProperty("stopReason").GetString()
        );
        var saved = summary.GetProperty("bestCheckpoint").GetString()!;
        var judged = await CommandRunner.RunAsync("eval", Path.Combine(run, saved), "--part", "holdout", "--json");
        Assert.Equal(best.Holdout, Number(JsonElement.Parse(judged.Output), "loss"), 1e-3);

        var verified = await CommandRunner.RunAsync("verify", run, "--workers", "0", "--threads", "1");
        Assert.Equal(0, verified.ExitCode);
        Assert.Contains($"same bits: no workers = no workers = {summary.GetProperty("weightsSha256").GetString()}", verified.Output);

        var again = await ResumeAsync(run);
        Assert.Equal((0, summary.ToString()), (again.ExitCode, Summary(run).ToString()));
    }

    // The run is cut down to what a coordinator that was killed has left after its last checkpoint but some.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task ARunThatGoesOnStopsWhereTheOtherDid(int lost)
    {
        var (whole, cut) = (_folder.File("whole"), _folder.File("cut"));
        await CommandRunner.TrainAsync(whole, $"--steps 200 {Restless}");
        await CommandRunner.TrainAsync(
            cut,
            $"--steps 200 {Restless.Replace("keep-checkpoints 1", "keep-checkpoints 99", StringComparison.Ordinal)}"
        );
        File.Delete(Path.Combine(cut, "summary.json"));
        File.Delete(Path.Combine(cut, "model.safetensors"));
        foreach (var step in Checkpoints(cut).TakeLast(lost))
            File.Delete(PathOf(cut, step));
        Assert.Equal(0, (await ResumeAsync(cut)).ExitCode);
        foreach (var name in new[] { "weightsSha256", "steps", "bestStep", "holdoutLoss", "testAccuracy", "stopReason" })
            Assert.Equal(Summary(whole).GetProperty(name).ToString(), Summary(cut).GetProperty(name).ToString());
        Assert.Equal(File.ReadAllText(Path.Combine(whole, "metrics.jsonl")), File.ReadAllText(Path.Combine(cut, "metrics.jsonl")));
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(whole, "model.safetensors")),
            File.ReadAllBytes(Path.Combine(cut, "model.safetensors"))
        );
    }

    // What is evaluated only because it was an end decides nothing in a run that goes on, and leaves no line.
    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task AnEarlierEndIsForgotten(int end)
    {
        var (whole, cut) = (_folder.File("whole"), _folder.File("cut"));
        await CommandRunner.TrainAsync(whole, $"--steps 200 {Restless}");
        await CommandRunner.TrainAsync(cut, $"--steps {end} {Restless}");
        Assert.Equal(0, (await ResumeAsync(cut, "--steps", "200")).ExitCode);
        Assert.Equal(Summary(whole).GetProperty("weightsSha256").GetString(), Summary(cut).GetProperty("weightsSha256").GetString());
        Assert.Equal(File.ReadAllText(Path.Combine(whole, "metrics.jsonl")), File.ReadAllText(Path.Combine(cut, "metrics.jsonl")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AStateIsPassedOverIfWhatTheDecisionDependsOnIsMissing(bool losesCheckpoint)
    {
        var (whole, cut) = (_folder.File("whole"), _folder.File("cut"));
        await CommandRunner.TrainAsync(whole, $"--steps 200 {Restless}");
        await CommandRunner.TrainAsync(
            cut,
            $"--steps 200 {Restless.Replace("keep-checkpoints 1", "keep-checkpoints 99", StringComparison.Ordinal)}"
        );
        File.Delete(Path.Combine(cut, "summary.json"));
        var best = Summary(whole).GetProperty("bestStep").GetInt64();
        var metrics = Path.Combine(cut, "metrics.jsonl");
        var evaluation = $"{{\"step\":{best},\"testLoss\"";
        var others = File.ReadAllLines(metrics).Where(line => !line.StartsWith(evaluation, StringComparison.Ordinal));
        if (losesCheckpoint)
            File.Delete(PathOf(cut, best));
        else
            File.WriteAllLines(metrics, others);
        var outcome = await ResumeAsync(cut);
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains(outcome.Errors, line =>
            line.Contains($"the evaluation or the checkpoint of step {best} is missing", StringComparison.Ordinal)
        );
        Assert.Equal(Summary(whole).GetProperty("weightsSha256").GetString(), Summary(cut).GetProperty("weightsSha256").GetString());
        Assert.Equal(File.ReadAllText(Path.Combine(whole, "metrics.jsonl")), File.ReadAllText(metrics));
    }

    [Theory]
    [InlineData(
        "--patience 3",
        "error: --patience 3: needs samples that judge the training while it goes on; say --holdout 0.1, or a file"
    )]
    [InlineData("--patience 0 --holdout 0.1", "error: --patience 0: must be at least 1 evaluation")]
    [InlineData("--holdout 1.5", "error: --holdout 1.5: must be a fraction above 0 and below 1, or the path of a file")]
    public async Task WhatCannotBeIsRefused(string options, string error)
    {
        var outcome = await CommandRunner.TrainAsync(_folder.File("run"), $"--steps 2 {options}");
        Assert.Equal((2, error), (outcome.ExitCode, Assert.Single(outcome.Errors)));
    }

    [Fact]
    public async Task AnotherHoldoutIsAnotherRun()
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, "--steps 4 --holdout 0.2");
        var outcome = await ResumeAsync(run, "--holdout", "0.1");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(outcome.Errors, line =>
            line.Contains("data.holdout: the run has \"0.2\", this command says \"0.1\"", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task AFileThatJudgesMayMove()
    {
        string Rows(int from) =>
            string.Concat(
                Enumerable.Range(from, 40).Select(row => string.Create(CultureInfo.InvariantCulture, $"{row % 7}.5,{row % 3}\n"))
            );
        var (run, held) = (_folder.File("run"), _folder.Write("held.csv", Rows(3)));
        var data = _folder.Write("data.csv", Rows(0));
        var options = $"--steps 3 --data {data} --holdout {held} --schedule constant";
        Assert.Equal(0, (await CommandRunner.TrainAsync(run, options)).ExitCode);
        var moved = _folder.File("moved.csv");
        File.Move(held, moved);
        Assert.Equal(0, (await ResumeAsync(run, "--holdout", moved, "--steps", "5")).ExitCode);
        Assert.Equal(0, (await CommandRunner.RunAsync("verify", run, "--workers", "0")).ExitCode);
        Assert.Equal(0, (await CommandRunner.RunAsync("eval", run, "--part", "holdout")).ExitCode);
        File.WriteAllText(moved, Rows(4));
        var changed = await ResumeAsync(run, "--steps", "7");
        Assert.Equal(2, changed.ExitCode);
        Assert.Contains("datasetSha256", Assert.Single(changed.Errors), StringComparison.Ordinal);
    }

    private static Task<CommandOutcome> ResumeAsync(string run, params string[] options) =>
        CommandRunner.RunAsync(["train", "--resume", "--run", run, "--workers", "0", "--threads", "1", "--quiet", .. options]);

    private static IEnumerable<(long Step, double Holdout, double Test)> Evaluations(string run) =>
        File.ReadLines(Path.Combine(run, "metrics.jsonl"))
            .Select(line => JsonElement.Parse(line))
            .Where(line => line.TryGetProperty("testLoss", out _))
            .Select(line => (line.GetProperty("step").GetInt64(), Number(line, "holdoutLoss"), Number(line, "testLoss")));

    private static long[] Checkpoints(string run) =>
        [
            .. Directory
                .GetFiles(Path.Combine(run, "checkpoints"))
                .Select(path => long.Parse(Path.GetFileNameWithoutExtension(path)["step-".Length..], CultureInfo.InvariantCulture))
                .Order(),
        ];

    private static string PathOf(string run, long step) => Path.Combine(run, "checkpoints", $"step-{step}.safetensors");

    private static double Number(JsonElement json, string name) => json.GetProperty(name).GetDouble();

    private static JsonElement Summary(string run) => JsonElement.Parse(File.ReadAllText(Path.Combine(run, "summary.json")));

    private static JsonElement Config(string run) => JsonElement.Parse(File.ReadAllText(Path.Combine(run, "config.json")));
}
