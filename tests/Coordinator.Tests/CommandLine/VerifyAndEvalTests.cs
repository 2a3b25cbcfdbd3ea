using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class VerifyAndEvalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ARunTrainedAgainHasTheSameBits()
    {
        var run = await TrainedAsync();
        var outcome = await CommandRunner.RunAsync("verify", run, "--workers", "0", "--threads", "2", "--quiet");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Matches("^same bits: no workers = no workers = [0-9a-f]{64}\n$", outcome.Output);
    }

    [Fact]
    public async Task TheFirstStepThatDiffersIsNamed()
    {
        var run = await TrainedAsync();
        var other = _folder.File("other");
        await CommandRunner.TrainAsync(other, "--steps 12 --eval-every 5 --learning-rate 0.06");
        foreach (var name in new[] { "model.safetensors", "summary.json", "metrics.jsonl" })
            File.Copy(Path.Combine(other, name), Path.Combine(run, name), overwrite: true);
        var outcome = await CommandRunner.RunAsync("verify", run, "--workers", "0", "--quiet");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("the first step that differs is 2: loss ", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AModelThatWasChangedIsNotVerified()
    {
        var run = await TrainedAsync();
        var model = Path.Combine(run, "model.safetensors");
        var bytes = File.ReadAllBytes(model);
        bytes[^1] ^= 0x80;
        File.WriteAllBytes(model, bytes);
        var outcome = await CommandRunner.RunAsync("verify", run, "--workers", "0");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("one of the files was changed", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARunThatIsNotCompleteIsNotVerified()
    {
        var run = await TrainedAsync();
        File.Delete(Path.Combine(run, "summary.json"));
        var outcome = await CommandRunner.RunAsync("verify", run, "--workers", "0");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("not complete", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task EvaluatingARunGivesTheAccuracyOfItsSummary()
    {
        var run = await TrainedAsync();
        var summary = JsonElement.Parse(File.ReadAllText(Path.Combine(run, "summary.json")));
        var outcome = await CommandRunner.RunAsync("eval", run, "--json");
        var result = JsonElement.Parse(outcome.Output);
        Assert.Equal(summary.GetProperty("testAccuracy").GetDouble(), result.GetProperty("accuracy").GetDouble());
        Assert.Equal(summary.GetProperty("testLoss").GetDouble(), result.GetProperty("loss").GetDouble(), 1e-5);
        Assert.Equal(10, result.GetProperty("classes").GetArrayLength());
        Assert.Equal(359, result.GetProperty("samples").GetInt32());
    }

    [Fact]
    public async Task AModelMeetsNewDataWithTheScalingOfItsTrainingData()
    {
        var train = _folder.Write("train.csv", Points(0));
        var shifted = _folder.Write("new.csv", Points(5));
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, $"--data {train} --epochs 60");
        var model = Path.Combine(_folder.Path, "model.safetensors");
        File.Copy(Path.Combine(run, "model.safetensors"), model);
        var own = JsonElement.Parse((await CommandRunner.RunAsync("eval", model, "--data", train, "--part", "all", "--json")).Output);
        var other = JsonElement.Parse((await CommandRunner.RunAsync("eval", model, "--data", shifted, "--part", "all", "--json")).Output);
        Assert.True(own.GetProperty("accuracy").GetDouble() > 0.95);
        Assert.True(other.GetProperty("accuracy").GetDouble() < 0.9); // scaled by its own columns the shift would vanish
    }

    [Fact]
    public async Task AModelByItselfNeedsData()
    {
        var run = await TrainedAsync();
        var model = Path.Combine(_folder.Path, "model.safetensors");
        File.Copy(Path.Combine(run, "model.safetensors"), model);
        var outcome = await CommandRunner.RunAsync("eval", model);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--data: name the data", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DataOfAnotherShapeIsRefused()
    {
        var run = await TrainedAsync();
        var outcome = await CommandRunner.RunAsync("eval", run, "--data", _folder.Write("points.csv", Points(0)));
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("a row has 3 features, ", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClassesThatTheDataDoesNotShowHaveNoAccuracy()
    {
        var model = await TrainedOnPointsAsync();
        var data = _folder.Write("few.csv", "class,y,x\nhigh,1,9\nhigh,2,8.5\n");
        var table = (await CommandRunner.RunAsync("eval", model, "--data", data)).Output;
        Assert.Contains("few.csv, test part: 2 samples, ", table, StringComparison.Ordinal);
        Assert.Contains(
            "  class  samples precision    recall        f1\n  high         2    1.0000    1.0000    1.0000\n",
            table,
            StringComparison.Ordinal
        );
        Assert.Contains("  low          0         -         -         -\n", table, StringComparison.Ordinal);
        var result = JsonElement.Parse((await CommandRunner.RunAsync("eval", model, "--data", data, "--json")).Output);
        Assert.Equal(JsonValueKind.Null, result.GetProperty("classes")[1].GetProperty("accuracy").ValueKind);
        Assert.Equal(1, result.GetProperty("accuracy").GetDouble());
    }

    [Fact]
    public async Task Confused_classes_are_counted_in_a_matrix_and_as_pairs()
    {
        var model = await TrainedOnPointsAsync();
        var data = _folder.Write("mixed.csv", "class,y,x\nhigh,1,9\nhigh,2,8.5\nlow,1,9\nlow,1,0\n");
        var table = (await CommandRunner.RunAsync("eval", model, "--data", data, "--part", "all", "--confusion")).Output;
        Assert.Contains("  high         2    0.6667    1.0000    0.8000\n", table, StringComparison.Ordinal);
        Assert.Contains("         high   low\n  high      2     0\n  low       1     1\n", table, StringComparison.Ordinal);
        var result = JsonElement.Parse(
            (await CommandRunner.RunAsync("eval", model, "--data", data, "--part", "all", "--confusion", "--json")).Output
        );
        var pairs = result.GetProperty("confusion").EnumerateArray().Select(pair => pair.ToString());
        Assert.Equal(
            [
                """{"class":"high","predicted":"high","samples":2}""",
                """{"class":"low","predicted":"high","samples":1}""",
                """{"class":"low","predicted":"low","samples":1}""",
            ],
            pairs
        );
    }

    [Fact]
    public async Task Columns_are_sorted_by_how_much_the_model_depends_on_them()
    {
        var model = await TrainedOnPointsAsync();
        var data = _folder.Write("new.csv", Points(0));
        var outcome = await CommandRunner.RunAsync("eval", model, "--data", data, "--importance", "3", "--json");
        var columns = JsonElement.Parse(outcome.Output).GetProperty("importance").EnumerateArray().ToList();
        Assert.Equal(["x", "y"], columns.Select(column => column.GetProperty("column").GetString()));
        Assert.True(columns[0].GetProperty("lossRise").GetDouble() > columns[1].GetProperty("lossRise").GetDouble());
        var text = (await CommandRunner.RunAsync("eval", model, "--data", data, "--importance", "3")).Output;
        Assert.Matches("dealt out anew, mean of 3:\n  x +[+][0-9.]+ ± [0-9.]+\n  y ", text);
    }

    [Theory]
    [InlineData("--importance 0x", "--importance 0x: must be a whole number")]
    [InlineData("--importance -1", "--importance -1: must be from 0, for none, to 1000 repeats")]
    [InlineData("--importance 3", "takes images, which have no columns to be judged; leave the option out")]
    public async Task What_cannot_be_judged_is_refused(string options, string reason)
    {
        var outcome = await CommandRunner.RunAsync(["eval", await TrainedAsync(), .. options.Split(' ')]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(reason, Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x,y,class\n1,2,middle\n", "line 2: the label 'middle' is not among the 2 classes of ")]
    [InlineData("x,z,class\n1,2,high\n", "there is no column 'y', which ")]
    [InlineData("x,y\n1,2\n", "there is no column 'class' of labels")]
    public async Task WhatTheModelDoesNotKnowIsRefusedByName(string text, string reason)
    {
        var model = await TrainedOnPointsAsync();
        var outcome = await CommandRunner.RunAsync("eval", model, "--data", _folder.Write("new.csv", text));
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(reason, Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task APartWithoutSamplesIsRefused()
    {
        var model = await TrainedOnPointsAsync();
        var data = _folder.Write("few.csv", "x,y,class\n9,1,high\n");
        var outcome = await CommandRunner.RunAsync("eval", model, "--data", data, "--part", "train");
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith("error: --part train: ", Assert.Single(outcome.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HiddenCharactersOfClassNamesAreShownAndKeptInResults()
    {
        const string name = "lo\u001b[2Jw";
        var data = _folder.Write("train.csv", Points(0).Replace("low", name, StringComparison.Ordinal));
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, $"--data {data} --steps 2");
        foreach (var command in new string[][] { ["eval", run], ["data", "inspect", "--data", data] })
        {
            var output = (await CommandRunner.RunAsync(command)).Output;
            Assert.Contains("lo\\u001b[2Jw", output, StringComparison.Ordinal);
            Assert.DoesNotContain('\u001b', output);
        }

        var result = JsonElement.Parse((await CommandRunner.RunAsync("eval", run, "--json")).Output);
        Assert.Equal(name, result.GetProperty("classes")[1].GetProperty("name").GetString());
        Assert.Contains($",p_{name}\n", (await CommandRunner.RunAsync("predict", run, "--data", data)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DataIsListedAndInspected()
    {
        Assert.Contains("digits: ", (await CommandRunner.RunAsync("data", "list")).Output, StringComparison.Ordinal);
        var inspected = (await CommandRunner.RunAsync("data", "inspect", "--data", "digits")).Output;
        Assert.Contains("1438 to train on, 359 to test on", inspected, StringComparison.Ordinal);
        Assert.Contains("class 9: 138 + 42", inspected, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TwoClassesAreJudgedByTheirOrderAsWell()
    {
        var run = _folder.File("run");
        var trained = await CommandRunner.TrainAsync(run, $"--data {_folder.Write("train.csv", Points(0))} --steps 3");
        var auc = JsonElement.Parse(File.ReadAllText(Path.Combine(run, "summary.json"))).GetProperty("testAuc").GetDouble();
        Assert.InRange(auc, 0.5, 1);
        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $", test auc {auc:0.0000}, weights "),
            trained.Output,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("Auc", File.ReadAllText(Path.Combine(run, "metrics.jsonl")), StringComparison.Ordinal);

        var evaluated = JsonElement.Parse((await CommandRunner.RunAsync("eval", run, "--json")).Output);
        Assert.Equal(
            ["data", "part", "samples", "loss", "accuracy", "auc", "classes"],
            evaluated.EnumerateObject().Select(field => field.Name)
        );
        Assert.Equal(auc, evaluated.GetProperty("auc").GetDouble());
        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $", auc {auc:0.0000}\n"),
            (await CommandRunner.RunAsync("eval", run)).Output,
            StringComparison.Ordinal
        );

        // By the probabilities that people get: the second class, low, is the positive one.
        var rows = (await CommandRunner.RunAsync("predict", run, "--data", Path.Combine(_folder.Path, "train.csv"))).Output.Split('\n')[
            1..^1
        ];
        var low = rows.Select(row => double.Parse(row.Split(',')[2], CultureInfo.InvariantCulture)).ToList();
        var held = Enumerable.Range(0, 200).Where(i => i % 5 == 4).ToLookup(i => i * 7 % 100 < 50, i => low[i]);
        Assert.Equal(
            held[true]
                .Average(p =>
                    held[false]
                        .Average(n =>
                            p > n ? 1
                            : p < n ? 0
                            : 0.5
                        )
                ),
            auc,
            1e-3
        );

        var one = _folder.Write("one.csv", "x,y,class\n1,1,low\n");
        Assert.Contains("auc -", (await CommandRunner.RunAsync("eval", run, "--data", one)).Output, StringComparison.Ordinal);
        var none = JsonElement.Parse((await CommandRunner.RunAsync("eval", run, "--data", one, "--json")).Output);
        Assert.Equal(JsonValueKind.Null, none.GetProperty("auc").ValueKind);
    }

    [Fact]
    public async Task ClassesThatWereBalancedAreBalancedAgain()
    {
        var run = _folder.File("run");
        var rows = Enumerable.Range(0, 200).Select(i => $"{i % 7},{i % 3},{(i % 4 == 0 ? "high" : "low")}\n");
        var data = _folder.Write("train.csv", "x,y,class\n" + string.Concat(rows));
        await CommandRunner.TrainAsync(run, $"--data {data} --steps 7 --class-weights balanced");
        var weights = JsonElement.Parse(File.ReadAllText(Path.Combine(run, "config.json"))).GetProperty("classWeights");
        Assert.Equal([160.0 / (2 * 40), 160.0 / (2 * 120)], weights.EnumerateArray().Select(weight => weight.GetDouble()));
        Assert.Equal(0, (await CommandRunner.RunAsync("verify", run, "--workers", "0", "--quiet")).ExitCode);
        var again = await CommandRunner.RunAsync("train", "--resume", "--run", run, "--workers", "0", "--class-weights", "balanced");
        Assert.Equal(0, again.ExitCode);
        var other = await CommandRunner.RunAsync("train", "--resume", "--run", run, "--workers", "0", "--class-weights", "1,2");
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("classWeights: the run has [", Assert.Single(other.Errors), StringComparison.Ordinal);
    }

    private async Task<string> TrainedAsync()
    {
        var run = _folder.File("run");
        var outcome = await CommandRunner.TrainAsync(run, "--steps 12 --eval-every 5");
        Assert.Equal(0, outcome.ExitCode);
        return run;
    }

    /// <summary>The file of a model that tells points apart, away from its run.</summary>
    private async Task<string> TrainedOnPointsAsync()
    {
        var run = _folder.File("run");
        await CommandRunner.TrainAsync(run, $"--data {_folder.Write("train.csv", Points(0))} --epochs 60");
        var model = Path.Combine(_folder.Path, "model.safetensors");
        File.Copy(Path.Combine(run, "model.safetensors"), model);
        return model;
    }

    /// <summary>Two classes that a threshold on x tells apart, moved along x.</summary>
    private static string Points(int shift) =>
        "x,y,class\n"
        + string.Concat(
            Enumerable.Range(0, 200).Select(i => $"{(i * 7 % 100 / 10.0) + shift},{i % 3},{(i * 7 % 100 >= 50 ? "high" : "low")}\n")
        );
}
