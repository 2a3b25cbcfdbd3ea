using System.Globalization;
using System.Text.Json;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

/// <summary>Tables with words, gaps and numbers to predict, from the command line on.</summary>
public sealed class TableCommandTests : IDisposable
{
    private const int Rows = 60;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ATableIsTrainedWithItsOwnModelAndDefaults()
    {
        var (run, outcome) = await TrainAsync("class");

        Assert.Equal(0, outcome.ExitCode);
        var options = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "config.json"))).RootElement;
        var layers = options
            .GetProperty("model")
            .GetProperty("layers")
            .EnumerateArray()
            .Select(layer => layer.GetProperty("type").GetString());
        Assert.Equal(["piecewise", "embedding"], layers.Take(2));
        Assert.Equal(256, options.GetProperty("batchSize").GetInt32());
        Assert.Equal(
            "classification",
            options.GetProperty("data").TryGetProperty("task", out var task) ? task.GetString() : "classification"
        );
    }

    [Theory]
    [InlineData("--model mlp:9", 64)]
    [InlineData("--model table", 256)]
    public async Task AModelThatIsNamedBringsItsOwnDefaults(string model, int batch)
    {
        var (run, outcome) = await TrainAsync("class", model.Split(' '));

        Assert.Equal(0, outcome.ExitCode);
        var options = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "config.json"))).RootElement;
        Assert.Equal(batch, options.GetProperty("batchSize").GetInt32());
    }

    [Fact]
    public async Task NumbersAreLearntMeasuredAndPredictedInTheirOwnUnits()
    {
        var (run, trained) = await TrainAsync("price");
        var evaluated = await CommandRunner.RunAsync("eval", run, "--json");
        var predicted = await CommandRunner.RunAsync("predict", run, "--data", _folder.File("class.csv"), "--ignore", "class");

        Assert.Equal(0, trained.ExitCode);
        var summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "summary.json"))).RootElement;
        Assert.True(summary.GetProperty("testRmse").GetDouble() > 0);
        Assert.False(summary.TryGetProperty("testAccuracy", out _));
        Assert.Equal(0, evaluated.ExitCode);
        var lines = predicted.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("prediction", lines[0]);
        Assert.Equal(Rows + 1, lines.Length);
        Assert.InRange(double.Parse(lines[1], CultureInfo.InvariantCulture), 1000, 1200);
    }

    [Fact]
    public async Task TheTrainedModelTakesWordsAndGapsItHasNeverSeen()
    {
        var (run, _) = await TrainAsync("class");
        var input = "n,color,class\n3,turquoise,?\n,red,\n"u8.ToArray();

        var outcome = await CommandRunner.RunAsync(input, "predict", run, "--data", "-");

        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal(3, outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task InspectingShowsTheColumnsAndWhatIsPredicted()
    {
        var data = Write("price");

        var outcome = await CommandRunner.RunAsync("data", "inspect", "--data", data);

        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("column 'color': category (words such as 'red', 'blue': 2 categories; 6 of 48 rows have a gap)", outcome.Output);
        Assert.Contains("to be predicted: numbers (the target has 48 different values, some of them fractions)", outcome.Output);
    }

    [Fact]
    public async Task SeveralNumbersAreJudgedAndPredictedByName()
    {
        var rows = Enumerable.Range(0, Rows).Select(row => $"{row % 7},{row}.5,{row % 11},{1000 + (row * 3)}\n");
        var data = _folder.Write("flats.csv", "n,share,\"rent, net\",price\n" + string.Concat(rows));
        var run = _folder.File("run");
        string[] options = ["--label-column", "price,\"rent, net\"", "--task", "regression", "--steps", "2", "--quiet"];
        var trained = await CommandRunner.RunAsync(["train", "--data", data, "--run", run, "--workers", "0", "--threads", "1", .. options]);
        var predicted = await CommandRunner.RunAsync("predict", run, "--data", data);
        var evaluated = await CommandRunner.RunAsync("eval", run, "--json");
        var shown = await CommandRunner.RunAsync("eval", run, "--data", data, "--part", "all");

        Assert.Equal((0, ""), (trained.ExitCode, string.Join('\n', trained.Errors)));
        Assert.Equal("prediction_price,\"prediction_rent, net\"", predicted.Output.Split('\n')[0]);
        var targets = JsonElement.Parse(evaluated.Output).GetProperty("targets").EnumerateArray().ToList();
        Assert.Equal(["price", "rent, net"], targets.Select(target => target.GetProperty("name").GetString()));
        Assert.Equal(["name", "rmse", "mae", "r2"], targets[0].EnumerateObject().Select(field => field.Name));
        Assert.StartsWith("  rent, net: rmse ", shown.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);
    }

    [Theory]
    [InlineData("price", "predicting numbers: the target has 48 different values, some of them fractions", "regression")]
    [InlineData("class", "predicting classes: the target holds text: 2 classes", "classification")]
    public async Task TrainSaysWhatItPredictsAndWhy(string target, string line, string task)
    {
        var data = Write(target);
        string[] Options(string run) =>
            ["train", "--data", data, "--run", _folder.File(run), "--workers", "0", "--threads", "1", "--steps", "2"];
        var shown = await CommandRunner.RunAsync(Options("shown"));
        Assert.Equal(line, shown.Output.Split('\n')[0]);

        var told = await CommandRunner.RunAsync([.. Options("told"), "--json"]);
        var first = JsonElement.Parse(told.Output.Split('\n')[0]);
        Assert.Equal(("taskChosen", task), (first.GetProperty("event").GetString(), first.GetProperty("task").GetString()));
        Assert.Equal(line, $"predicting {(task == "regression" ? "numbers" : "classes")}: {first.GetProperty("reason").GetString()}");

        var said = await CommandRunner.RunAsync([.. Options("said"), "--task", task]);
        Assert.DoesNotContain("predicting", said.Output, StringComparison.Ordinal);
        var resumed = await CommandRunner.RunAsync("train", "--resume", "--run", _folder.File("shown"), "--workers", "0");
        Assert.DoesNotContain("predicting", resumed.Output, StringComparison.Ordinal);
    }

    private async Task<(string Run, CommandOutcome Outcome)> TrainAsync(string target, params string[] options)
    {
        var run = _folder.File("run");
        var data = Write(target);
        Write("class");
        string[] shared = ["train", "--data", data, "--run", run, "--workers", "0", "--threads", "1", "--steps", "2", "--quiet"];
        return (run, await CommandRunner.RunAsync([.. shared, .. options]));
    }

    /// <summary>A table with a column of numbers, one of words with gaps, and a target.</summary>
    private string Write(string target)
    {
        var path = _folder.File($"{target}.csv");
        var rows = Enumerable
            .Range(0, Rows)
            .Select(row =>
            {
                var color = row % 10 == 3 ? "" : (row % 2 == 0 ? "red" : "blue");
                var value = target == "class" ? (row % 3 == 0 ? "a" : "b") : $"{1100 + row}.5";
                return $"{row % 7},{color},{value}";
            });
        File.WriteAllText(path, $"n,color,{target}\n{string.Join('\n', rows)}\n");
        return path;
    }
}
