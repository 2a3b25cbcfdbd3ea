using System.Globalization;
using System.Text.Json;
using Distributed.Checkpoints;
using Distributed.Cluster;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;
using Distributed.Coordinator.Tests.CommandLine;
using Distributed.Data;
using Distributed.Objectives;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Runs;

/// <summary>Runs that learn to predict numbers: on workers that do not hold the data, and what is left of them.</summary>
public sealed class RegressionRunTests : IDisposable
{
    // Their decimals are exact.
    private static readonly float[][] Features =
    [
        .. Enumerable.Range(0, 330).Select(i => new[] { (i * 37 % 101 / 8f) - 5, i * 53 % 89 / 8f, i % 7 }),
    ];

    private static readonly double[][] Targets = [.. Features.Select(x => new[] { 2e5 + (3e4 * x[0]) - (1e4 * x[1] * x[2]), 0.01 * x[1] })];

    private static readonly Dataset Prices = Dataset.FromArrays(Features, [.. Targets.Select(targets => targets[0])]);
    private static readonly Dataset Both = Dataset.FromArrays(Features, Targets, new() { TargetNames = ["price", "share, net"] });

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // The workers are processes of their own; samples with their targets are sent to them.
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    public async Task Any_number_of_workers_gives_the_bits_of_one_process(int workers, bool ownedByCoordinator)
    {
        var alone = await TrainAsync("alone", Both, new ClusterOptions { Workers = 0, Threads = 1 });
        var shared = await TrainAsync(
            "shared",
            Both,
            new ClusterOptions
            {
                Workers = workers,
                Threads = 1,
                Exchange = ownedByCoordinator ? Exchange.Coordinator : Exchange.Peers,
            }
        );
        Assert.Equal(workers, shared.Workers);
        Assert.Equal(WeightsHash.Compute(alone.Weights.Span), WeightsHash.Compute(shared.Weights.Span));
        Assert.Equal(alone.TestMetrics, shared.TestMetrics);
        Assert.Equal(Read("alone/metrics.jsonl"), Read("shared/metrics.jsonl"));
    }

    [Fact]
    public async Task Weights_travel_with_the_targets()
    {
        double[] weights = [.. Enumerable.Range(0, 330).Select(i => 0.5 + (i % 6 / 2.0))];
        var weighted = Dataset.FromArrays(Features, Targets, new() { Weights = weights });
        var plain = await TrainAsync("plain", Both, new ClusterOptions { Workers = 0, Threads = 1 });
        var alone = await TrainAsync("alone", weighted, new ClusterOptions { Workers = 0, Threads = 1 });
        var shared = await TrainAsync("shared", weighted, new ClusterOptions { Workers = 2, Threads = 1 });
        Assert.NotEqual(WeightsHash.Compute(plain.Weights.Span), WeightsHash.Compute(alone.Weights.Span));
        Assert.Equal(WeightsHash.Compute(alone.Weights.Span), WeightsHash.Compute(shared.Weights.Span));
        Assert.Equal(Read("alone/metrics.jsonl"), Read("shared/metrics.jsonl"));
    }

    [Fact]
    public async Task Every_evaluation_is_logged_in_the_targets_own_units()
    {
        var result = await TrainAsync("run", Prices, new ClusterOptions { Workers = 0, Threads = 1 });
        Assert.Equal(["rmse", "mae", "r2"], result.TestMetrics.Select(metric => metric.Name));
        var last = JsonElement.Parse(Read("run/metrics.jsonl").TrimEnd().Split('\n')[^1]);
        Assert.Equal(["step", "testLoss", "testRmse", "testMae", "testR2"], last.EnumerateObject().Select(field => field.Name));
        Assert.Equal(result.TestMetrics[0].Value, last.GetProperty("testRmse").GetDouble());
        Assert.InRange(result.TestMetrics[0].Value, 1e3, 1e6);
    }

    [Fact]
    public async Task Numbers_are_predicted_under_one_name_or_under_their_own()
    {
        var (price, both) = (Train(Prices), Train(Both));
        var (prices, pairs) = (price.PredictAll(Features), both.PredictAll(Features));
        var rows = await PredictAsync(price);
        Assert.Equal("prediction", rows[0]);
        Assert.Equal(prices.Select(prediction => Text(prediction.Number!.Value)), rows[1..]);

        rows = await PredictAsync(both);
        Assert.Equal("prediction_price,\"prediction_share, net\"", rows[0]);
        Assert.Equal(pairs.Select(prediction => string.Join(',', prediction.Numbers.Select(Text))), rows[1..]);

        var lines = await PredictAsync(both, "--format", "jsonl");
        var first = JsonElement.Parse(lines[0]);
        Assert.Equal(["prediction_price", "prediction_share, net"], first.EnumerateObject().Select(field => field.Name));
        Assert.Equal(pairs[0].Numbers[0], first.GetProperty("prediction_price").GetDouble());
    }

    [Fact]
    public async Task Numbers_of_a_model_are_not_compared_with_classes()
    {
        var model = _folder.File("model.safetensors");
        Train(Prices).Save(model);
        var digits = await CommandRunner.RunAsync("eval", model, "--data", "digits");
        Assert.Equal(2, digits.ExitCode);
        Assert.Contains("a sample has 64 values", Assert.Single(digits.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.98, "0.9800")]
    [InlineData(0, "0.0000")]
    [InlineData(-12.345678, "-12.3457")]
    [InlineData(0.0098, "0.0098")]
    [InlineData(48731.2345, "48731")]
    [InlineData(0.000123456, "0.00012346")]
    [InlineData(1.5e9, "1.5E+09")]
    [InlineData(double.NaN, "-")]
    public void Figures_are_shown_in_as_many_digits_as_say_something(double value, string text) =>
        Assert.Equal(text, RunText.Figure(value));

    [Fact]
    public void A_figure_that_is_not_defined_is_a_dash_for_people_and_null_for_programs()
    {
        var summary = new RunSummary(3, 9, 1, 9, 0.5, 0.5, [new Metric("rmse", 2), new Metric("r2", double.NaN)], "00", 2, "shm");
        Assert.StartsWith(
            "test rmse 2.0000, test r2 -, weights ",
            RunText.Result(new RunCompleted("run", summary)),
            StringComparison.Ordinal
        );
        var json = JsonElement.Parse(summary.ToJson());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("testR2").ValueKind);
        Assert.Equal(summary.TestMetrics, RunSummary.FromJson(summary.ToJson(), "summary.json").TestMetrics);
        var told = JsonElement.Parse(StrictJson.Serialize<RunEvent>(new Evaluated(3, 0.5, summary.TestMetrics)));
        Assert.Equal((2, JsonValueKind.Null), (told.GetProperty("testRmse").GetDouble(), told.GetProperty("testR2").ValueKind));
    }

    private static TrainingOptions Options { get; } =
        new()
        {
            Model = "mlp:33",
            BatchSize = 100,
            Microbatch = 7,
            Steps = 7,
            EvalEvery = 3,
            Loss = RegressionLoss.Huber,
            Optimizer = new AdamOptions { LearningRate = 0.01 },
        };

    private static TrainedModel Train(Dataset dataset) => new Trainer(dataset, Options).Train().Model;

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);

    private string Read(string name) => File.ReadAllText(_folder.File(name));

    private async Task<string[]> PredictAsync(TrainedModel model, params string[] options)
    {
        var file = _folder.File("model.safetensors");
        model.Save(file);
        var rows = string.Concat(Features.Select(x => string.Create(CultureInfo.InvariantCulture, $"{x[0]:R},{x[1]:R},{x[2]:R}\n")));
        var outcome = await CommandRunner.RunAsync(["predict", file, "--data", _folder.Write("rows.csv", rows), .. options]);
        Assert.Equal((0, ""), (outcome.ExitCode, string.Join('\n', outcome.Errors)));
        return outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private async Task<RunResult> TrainAsync(string name, Dataset dataset, ClusterOptions cluster)
    {
        var prepared = RunPreparation.Of(Options, dataset);
        using var folder = RunFolder.Create(_folder.File(name), prepared.Configuration, prepared.Network.Layout);
        await using var observers = RunObservers.Of(folder, TextWriter.Null);
        var request = new RunRequest(prepared.Configuration, dataset, prepared.Network, cluster, folder, prepared.InitialState());
        var run = new TrainingRunFactory(TimeProvider.System).Create(cluster);
        return await run.RunAsync(request, observers, TestContext.Current.CancellationToken);
    }
}
