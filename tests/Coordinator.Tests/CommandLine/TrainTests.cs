using System.Text.Json;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class TrainTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ARunLeavesItsFolderComplete()
    {
        var run = _folder.File("run");
        var outcome = await CommandRunner.TrainAsync(run, "--steps 20 --checkpoint-every 6 --eval-every 8");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Empty(outcome.Errors);
        Assert.Equal(
            ["checkpoints", "config.json", "lock", "metrics.jsonl", "model.safetensors", "summary.json"],
            Directory.GetFileSystemEntries(run).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            ["step-12.safetensors", "step-18.safetensors", "step-20.safetensors"],
            Directory.GetFiles(Path.Combine(run, "checkpoints")).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        var summary = Summary(run);
        Assert.Equal(
            [
                "bestCheckpoint",
                "bestStep",
                "bestTestLoss",
                "samples",
                "samplesPerSecond",
                "seconds",
                "steps",
                "testAccuracy",
                "testLoss",
                "trainLoss",
                "transport",
                "weightsSha256",
                "workers",
                "workersJoined",
                "workersLost",
            ],
            summary.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal)
        );
        Assert.Equal(20, summary.GetProperty("steps").GetInt64());
        Assert.Contains(summary.GetProperty("weightsSha256").GetString()!, outcome.Output, StringComparison.Ordinal);
        Assert.Contains($"verify {run}", outcome.Output, StringComparison.Ordinal);
        Assert.Contains($"eval {run}", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MetricsHoldEveryStepAndEveryEvaluation()
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, "--steps 20 --eval-every 8");
        JsonElement[] lines = [.. File.ReadLines(Path.Combine(run, "metrics.jsonl")).Select(line => JsonElement.Parse(line))];
        Assert.Equal(
            Enumerable.Range(1, 20),
            lines.Where(line => line.TryGetProperty("loss", out _)).Select(line => line.GetProperty("step").GetInt32())
        );
        Assert.Equal(
            [8, 16, 20],
            lines.Where(line => line.TryGetProperty("testAccuracy", out _)).Select(line => line.GetProperty("step").GetInt32())
        );
    }

    [Fact]
    public async Task ASecondRunInTheSameFolderIsRefusedAndChangesNothing()
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, "--steps 2");
        var before = Times(run);
        var outcome = await CommandRunner.TrainAsync(run, "--steps 2");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("already holds a run (config.json)", Assert.Single(outcome.Errors), StringComparison.Ordinal);
        Assert.Equal(before, Times(run));
    }

    [Fact]
    public async Task JsonOutputIsOneObjectPerLineAndNothingElse()
    {
        var outcome = await CommandRunner.TrainAsync(_folder.File("run"), "--steps 3 --json");
        string[] events =
        [
            .. outcome
                .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonElement.Parse(line).GetProperty("event").GetString()!),
        ];
        Assert.Equal("runStarted", events[0]);
        Assert.Equal(3, events.Count(name => name == "stepCompleted"));
        Assert.Contains("evaluated", events);
        Assert.Contains("checkpointSaved", events);
        Assert.Equal("runCompleted", events[^1]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("--json")]
    [InlineData("--quiet")]
    public async Task AnOutputThatCannotBeWrittenIsOneWarningAndChangesNothing(string options)
    {
        string seen = _folder.File("seen"),
            unseen = _folder.File("unseen");
        await CommandRunner.TrainAsync(seen, "--steps 3");
        using var full = new FullOutput();
        var outcome = await CommandRunner.RunAsync(
            full,
            [
                "train",
                .. CommandRunner.Tiny.Split(' '),
                "--run",
                unseen,
                "--steps",
                "3",
                .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            ]
        );
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal("warning: the output cannot be written, and the run goes on: No space left", Assert.Single(outcome.Errors));
        Assert.Equal(File.ReadAllText(Path.Combine(seen, "metrics.jsonl")), File.ReadAllText(Path.Combine(unseen, "metrics.jsonl")));
        Assert.Equal(Summary(seen).GetProperty("weightsSha256").GetString(), Summary(unseen).GetProperty("weightsSha256").GetString());
    }

    [Fact]
    public async Task MetricsThatCannotBeWrittenFailTheRunAtItsEnd()
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, "--steps 2 --checkpoint-every 1");
        string[] later = ["metrics.jsonl", "summary.json", "model.safetensors", Path.Combine("checkpoints", "step-2.safetensors")];
        foreach (var name in later)
            File.Delete(Path.Combine(run, name));
        Directory.CreateDirectory(Path.Combine(run, "metrics.jsonl")); // a folder stands where the file is to be made
        var outcome = await CommandRunner.RunAsync("train", "--resume", "--run", run, "--workers", "0");
        Assert.Equal(1, outcome.ExitCode);
        var metrics = Path.Combine(run, "metrics.jsonl");
        Assert.StartsWith($"warning: {metrics}: cannot be written (", outcome.Errors[0], StringComparison.Ordinal);
        Assert.StartsWith($"error: {metrics}: the last lines cannot be written (", outcome.Errors[^1], StringComparison.Ordinal);
        Assert.EndsWith($"go on with: train --resume --run {run}", outcome.Errors[^1], StringComparison.Ordinal);
        Directory.Delete(metrics);
        Assert.Equal(0, (await CommandRunner.RunAsync("train", "--resume", "--run", run, "--workers", "0")).ExitCode);
    }

    [Fact]
    public async Task AModelThatCannotBeWrittenIsSaidWithTheWayToIt()
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, "--steps 2 --checkpoint-every 1");
        var hash = Summary(run).GetProperty("weightsSha256").GetString();
        File.Delete(Path.Combine(run, "summary.json"));
        File.Delete(Path.Combine(run, "model.safetensors"));
        Directory.CreateDirectory(Path.Combine(run, "model.safetensors.tmp")); // a folder stands where the file is to be made
        var outcome = await CommandRunner.RunAsync("train", "--resume", "--run", run, "--workers", "0");
        Assert.Equal(1, outcome.ExitCode);
        Assert.StartsWith(
            $"error: {run}: the training is done, but model.safetensors and summary.json cannot be written (",
            Assert.Single(outcome.Errors),
            StringComparison.Ordinal
        );
        Directory.Delete(Path.Combine(run, "model.safetensors.tmp"));
        Assert.Equal(0, (await CommandRunner.RunAsync("train", "--resume", "--run", run, "--workers", "0")).ExitCode);
        Assert.Equal(hash, Summary(run).GetProperty("weightsSha256").GetString());
    }

    [Fact]
    public async Task QuietOutputIsTheResultOnly()
    {
        var outcome = await CommandRunner.TrainAsync(_folder.File("run"), "--steps 3 --quiet");
        Assert.StartsWith(
            "test accuracy ",
            Assert.Single(outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task TheCommandLineWinsOverTheFileAndTheFileOverTheDefaults()
    {
        var options = _folder.Write(
            "options.json",
            """{"batch-size": 50, "epochs": 3, "optimizer": "adam", "no-shuffle": true, "header": false, "seed": 9, "model": {"layers": []}}"""
        );
        var run = _folder.File("run");
        var outcome = await CommandRunner.RunAsync(
            "train",
            "--workers",
            "0",
            "--config",
            options,
            "--run",
            run,
            "--steps",
            "2",
            "--seed",
            "4",
            "--header",
            "on",
            "--data",
            Csv()
        );
        Assert.Equal(0, outcome.ExitCode);
        var config = Read(run, "config.json");
        Assert.Equal(50, config.GetProperty("batchSize").GetInt32());
        Assert.Equal(2, config.GetProperty("steps").GetInt32());
        Assert.Equal("adam", config.GetProperty("optimizer").GetProperty("kind").GetString());
        Assert.False(config.GetProperty("shuffle").GetBoolean());
        Assert.Equal(4, config.GetProperty("seed").GetInt32());
        Assert.True(config.GetProperty("data").GetProperty("header").GetBoolean());
        Assert.Equal(0, config.GetProperty("model").GetProperty("layers").GetArrayLength());
    }

    [Fact]
    public async Task ConstantsOfTheOptimizerComeFromFileAndCommandLineInAnyOrder()
    {
        var options = _folder.Write("options.json", """{"beta1": 0.5, "epsilon": 1e-6, "optimizer": "adamw", "learning-rate": 0.01}""");
        var run = _folder.File("run");
        var outcome = await CommandRunner.TrainAsync(run, $"--config {options} --steps 1 --beta2 0.99 --epsilon 1e-7");
        Assert.Empty(outcome.Errors);
        var optimizer = Read(run, "config.json").GetProperty("optimizer");
        Assert.Equal("adamw", optimizer.GetProperty("kind").GetString());
        Assert.Equal(0.5, optimizer.GetProperty("beta1").GetDouble());
        Assert.Equal(0.99, optimizer.GetProperty("beta2").GetDouble());
        Assert.Equal(1e-7, optimizer.GetProperty("epsilon").GetDouble());
        Assert.Equal(0.01, optimizer.GetProperty("learningRate").GetDouble());
    }

    [Fact]
    public async Task AnOptionOfAnotherOptimizerIsNamedWithTheFileThatHoldsIt()
    {
        var options = _folder.Write("options.json", """{"momentum": 0.5}""");
        var outcome = await CommandRunner.TrainAsync(_folder.File("run"), $"--config {options} --optimizer adam");
        Assert.Equal($"error: --momentum 0.5 in {options}: belongs to --optimizer sgd, not to adam", Assert.Single(outcome.Errors));
    }

    [Theory]
    [InlineData("""{"bach-size": 50}""", "'bach-size' is no option; did you mean batch-size?")]
    [InlineData("""{"config": "x"}""", "'config' is no option")]
    [InlineData("""{"seed": null}""", "'seed' must be a text, a number, true or false")]
    [InlineData("""{"seed": "x"}""", "--seed x in ")]
    [InlineData("""{"seed": 1, "seed": 2}""", "cannot be read")]
    [InlineData("[1]", "must hold one JSON object")]
    [InlineData("{", "cannot be read")]
    public async Task ABadConfigurationFileIsOneLine(string content, string message)
    {
        var options = _folder.Write("options.json", content);
        var outcome = await CommandRunner.TrainAsync(_folder.File("run"), $"--config {options}");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(message, Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WeightsOfAnotherShapeAreRefusedBeforeAnythingIsWritten()
    {
        var first = _folder.File("first");
        await CommandRunner.TrainAsync(first, "--steps 1");
        var outcome = await CommandRunner.RunAsync(
            "train",
            "--workers",
            "0",
            "--model",
            "mlp:8",
            "--run",
            _folder.File("second"),
            "--init-weights",
            Path.Combine(first, "model.safetensors")
        );
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("layers.0.weight is [9, 64], the model has [8, 64]", Assert.Single(outcome.Errors), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.File("second")));
    }

    [Fact]
    public async Task ADivergingRunFailsWithStepAndRemedies()
    {
        var outcome = await CommandRunner.TrainAsync(_folder.File("run"), "--learning-rate 1e30");
        Assert.Equal(1, outcome.ExitCode);
        var line = Assert.Single(outcome.Errors);
        Assert.Contains("step", line, StringComparison.Ordinal);
        Assert.Contains("--learning-rate", line, StringComparison.Ordinal);
    }

    private static JsonElement Read(string run, string name) => JsonElement.Parse(File.ReadAllText(Path.Combine(run, name)));

    private static JsonElement Summary(string run) => Read(run, "summary.json");

    private static Dictionary<string, DateTime> Times(string run) =>
        Directory
            .GetFiles(run, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != "lock")
            .ToDictionary(file => file, File.GetLastWriteTimeUtc);

    private string Csv() =>
        _folder.Write(
            "points.csv",
            "x,y,class\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $"{i % 10},{i % 7},{(i % 10 > 4 ? "high" : "low")}\n"))
        );

    private sealed class FullOutput : StringWriter
    {
        public override void Write(char value) => throw new IOException("No space left");

        public override void Write(string? value) => throw new IOException("No space left");

        public override void WriteLine(string? value) => throw new IOException("No space left");
    }
}
