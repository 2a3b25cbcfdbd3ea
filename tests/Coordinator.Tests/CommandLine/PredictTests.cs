using System.Globalization;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class PredictTests : IDisposable
{
    private const string Header = "width,height,kind\n";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task EachSampleHasARowInTheOrderOfTheInputUnderAHeader()
    {
        var run = await TrainedAsync();
        var rows = await PredictAsync(run, "--data", _folder.Write("new.csv", "width,height\n9,1\n0,1\n8,2\n"));
        Assert.Equal("prediction,\"p_big, tall\",p_small", rows[0]);
        Assert.Equal(
            ["\"big, tall\"", "small", "\"big, tall\""],
            rows[1..].Select(row => row[..row.LastIndexOf(',', row.LastIndexOf(',') - 1)])
        );
        Assert.All(rows[1..], row =>
            Assert.Equal(1, row.Split(',')[^2..].Sum(cell => double.Parse(cell, CultureInfo.InvariantCulture)), 1e-6)
        );
    }

    [Fact]
    public async Task TheAccuracyIsThatOfEval()
    {
        var run = await TrainedAsync();
        var data = Path.Combine(_folder.Path, "train.csv");
        var truth = File.ReadAllLines(data)[1..].Select(line => line[(line.IndexOf(',', line.IndexOf(',') + 1) + 1)..]).ToList();
        var rows = (await PredictAsync(run, "--data", data))[1..];
        var evaluated = JsonElement.Parse((await CommandRunner.RunAsync("eval", run, "--part", "all", "--json")).Output);
        var correct = rows.Zip(truth).Count(pair => pair.First.StartsWith(pair.Second + ",", StringComparison.Ordinal));
        Assert.Equal(evaluated.GetProperty("accuracy").GetDouble(), (double)correct / truth.Count);
        Assert.Equal(evaluated.GetProperty("samples").GetInt32(), rows.Length);
    }

    [Fact]
    public async Task JsonLinesSayTheSame()
    {
        var run = await TrainedAsync();
        var data = _folder.Write("new.csv", "9,1\n0,1\n");
        var csv = await PredictAsync(run, "--data", data);
        var lines = await PredictAsync(run, "--data", data, "--format", "jsonl");
        Assert.Equal(2, lines.Length);
        var first = JsonElement.Parse(lines[0]);
        Assert.Equal(["prediction", "p_big, tall", "p_small"], first.EnumerateObject().Select(field => field.Name));
        Assert.Equal("big, tall", first.GetProperty("prediction").GetString());
        Assert.Equal(csv[1].Split(',')[^1], first.GetProperty("p_small").GetRawText());
    }

    [Fact]
    public async Task AModelFileACheckpointAndTheRunPredictTheSame()
    {
        var run = await TrainedAsync();
        var data = _folder.Write("new.csv", "9,1\n0,1\n");
        var expected = await PredictAsync(run, "--data", data);
        Assert.Equal(expected, await PredictAsync(Path.Combine(run, "model.safetensors"), "--data", data));
        var checkpoint = Directory.GetFiles(Path.Combine(run, "checkpoints"), "*.safetensors").Order(StringComparer.Ordinal).Last();
        Assert.Equal(expected, await PredictAsync(checkpoint, "--data", data));
        File.Delete(Path.Combine(run, "model.safetensors")); // as while the run goes on
        Assert.Equal(expected, await PredictAsync(checkpoint, "--data", data));
    }

    [Fact]
    public async Task StandardInputIsCsv()
    {
        var run = await TrainedAsync();
        var expected = await PredictAsync(run, "--data", _folder.Write("new.csv", "height,width\n1,9\n"));
        var outcome = await CommandRunner.RunAsync(Encoding.UTF8.GetBytes("height,width\n1,9\n"), "predict", run, "--data", "-");
        Assert.Equal(expected, outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task AFileIsWrittenCompleteOrNotAtAll()
    {
        var run = await TrainedAsync();
        var data = _folder.Write("new.csv", "9,1\n0,1\n");
        var answers = _folder.File("answers.csv");
        var outcome = await CommandRunner.RunAsync("predict", run, "--data", data, "--out", answers);
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Output));
        Assert.Equal(await PredictAsync(run, "--data", data), File.ReadAllLines(answers));
        Assert.False(File.Exists(answers + AtomicFile.TemporarySuffix));

        var nowhere = _folder.File("missing/answers.csv");
        outcome = await CommandRunner.RunAsync("predict", run, "--data", data, "--out", nowhere);
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith($"error: --out {nowhere}: cannot be written", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ImagesAndNamedDataArePredictedAsWell()
    {
        var run = _folder.File("digits");
        await CommandRunner.TrainAsync(run, "--steps 12");
        var accuracy = JsonElement.Parse((await CommandRunner.RunAsync("eval", run, "--json")).Output).GetProperty("accuracy").GetDouble();
        var rows = (await PredictAsync(run, "--data", "digits"))[1..];
        var truth = Distributed.Data.Dataset.Open("digits").Test.Targets.ToArray();
        Assert.Equal(
            accuracy,
            (double)rows.Zip(truth).Count(pair => pair.First.StartsWith($"{pair.Second},", StringComparison.Ordinal)) / rows.Length
        );

        var values = string.Join(',', Enumerable.Repeat("3", 64)); // 0 to 16, as the data set's own
        Assert.Equal(2, (await PredictAsync(run, "--data", _folder.Write("one.csv", values + "\n"))).Length);
    }

    [Fact]
    public async Task WhatIsMissingOrWrongIsNamed()
    {
        var run = await TrainedAsync();
        await RefusedAsync("--data: is missing", run);
        await RefusedAsync("MODEL: is missing");
        await RefusedAsync("there is no column 'height'", run, "--data", _folder.Write("a.csv", "width,kind\n1,small\n"));
        await RefusedAsync("column 'depth' is none", run, "--data", _folder.Write("b.csv", "width,height,depth\n1,2,3\n"));
        await RefusedAsync("a row has 4 features", run, "--data", _folder.Write("c.csv", "1,2,3,4\n"));
        await RefusedAsync("there is no dataset 'nothing.csv'", run, "--data", "nothing.csv");
        await RefusedAsync("--format xml", run, "--data", "nothing.csv", "--format", "xml");
    }

    private static async Task RefusedAsync(string reason, params string[] arguments)
    {
        var outcome = await CommandRunner.RunAsync(["predict", .. arguments]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(outcome.Errors, error => error.Contains(reason, StringComparison.Ordinal));
        Assert.Empty(outcome.Output);
    }

    private static async Task<string[]> PredictAsync(string model, params string[] arguments)
    {
        var outcome = await CommandRunner.RunAsync(["predict", model, .. arguments]);
        Assert.Equal((0, ""), (outcome.ExitCode, string.Join('\n', outcome.Errors)));
        return outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A run on two classes that the width tells apart; one has a comma in its name.</summary>
    private async Task<string> TrainedAsync()
    {
        var rows = Enumerable
            .Range(0, 200)
            .Select(i => $"{i * 7 % 100 / 10.0:0.0},{i % 3},{(i * 7 % 100 >= 50 ? "\"big, tall\"" : "small")}\n");
        var data = _folder.Write("train.csv", Header + string.Concat(rows));
        var run = _folder.File("run");
        var outcome = await CommandRunner.TrainAsync(run, $"--data {data} --epochs 60");
        Assert.Equal(0, outcome.ExitCode);
        return run;
    }
}
