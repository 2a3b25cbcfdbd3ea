using System.Globalization;
using Distributed.Data;
using Distributed.Export;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Shared.Tests.Data;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Export;

/// <summary>Models of tables as ONNX: ONNX Runtime takes the columns as they are in the data, and gives what <c>predict</c> gives.</summary>
public sealed class TableExportTests : IDisposable
{
    private const double Tolerance = 1e-4;
    private const string Header = "when,size,color,zip,floor";

    // Among them gaps as empty cells and as texts, words that training has not seen or hardly, and numbers far outside.
    private static readonly string[] NewRows =
    [
        "1600000123,30.5,red,10115,2",
        "1600000124,30.5,red,10115,2",
        ",-999,,10117,NA",
        "1600300000,,unknown,99999,1",
        "1599000000,1e6,violet,,40",
        "NA,12,?,10119,-3",
        "1600004000,77.25,blue,NA,3",
    ];

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("table")]
    [InlineData(EveryLayer.OfColumns)]
    [InlineData("mlp:16")]
    public void Class_scores_agree_on_raw_columns(string layers)
    {
        var model = Trained(layers, Kind, new DataOptions { Missing = "-999,unknown,NA,?", Categorical = "zip" });
        using var exported = new ExportedModel(model);
        Assert.Equal(Header.Split(','), exported.Inputs);
        Assert.Equal((typeof(double), typeof(string)), (exported.TypeOf("when"), exported.TypeOf("zip")));
        Assert.Equal([-1, 1], exported.ShapeOf("color"));

        var predictions = Predict(model, NewRows);
        var results = exported.Run(Columns(exported, NewRows));
        Assert.Equal(predictions.Select(prediction => prediction.Value), results.Texts("label"));
        AssertClose(predictions.SelectMany(prediction => prediction.Probabilities), results.Floats("probabilities"), Tolerance);
    }

    [Fact]
    public void A_number_from_the_list_of_gaps_is_a_gap()
    {
        var model = Trained("mlp:16", Kind, new DataOptions { Missing = "-999,unknown,NA,?", Categorical = "zip" });
        using var exported = new ExportedModel(model);
        string[] rows = ["1600000123,-999,red,10115,2", "1600000123,,red,10115,2"];
        var scores = exported.Run(Columns(exported, rows)).Floats("probabilities");
        Assert.Equal(scores[..3], scores[3..]);
    }

    [Theory]
    [InlineData("table")]
    [InlineData("mlp:16")]
    public void Prices_agree_in_their_own_units(string layers)
    {
        var model = Trained(
            layers,
            row => FormattableString.Invariant($"{Price(row)}"),
            new DataOptions { Task = LearningTask.Regression }
        );
        using var exported = new ExportedModel(model);
        Assert.Equal(["prediction"], exported.Outputs);
        Assert.Equal([-1, 1], exported.ShapeOf("prediction"));
        Assert.Equal("""["kind"]""", exported.Metadata["targets"]);
        AgreeOnNumbers(model, exported);
    }

    [Fact]
    public void Several_numbers_agree_in_their_own_units()
    {
        var rows = Enumerable.Range(0, 400).Select(row => $"{Features(row)},{Price(row)},{1.6e9 + Price(row)}\n");
        var data = _folder.Write("two.csv", $"{Header},price,due\n{string.Concat(rows)}");
        var model = Trained(
            "mlp:16",
            new DataOptions
            {
                Data = data,
                LabelColumn = "price,due",
                Missing = "-999,unknown,NA,?",
            }
        );
        using var exported = new ExportedModel(model);
        Assert.Equal([-1, 2], exported.ShapeOf("prediction"));
        Assert.Equal("""["price","due"]""", exported.Metadata["targets"]);
        AgreeOnNumbers(model, exported);
    }

    [Fact]
    public void One_session_takes_a_row_and_seven()
    {
        var model = Trained("table", Kind, new DataOptions());
        using var exported = new ExportedModel(model);
        var seven = exported.Run(Columns(exported, NewRows)).Floats("probabilities");
        var one = NewRows.SelectMany(row => exported.Run(Columns(exported, [row])).Floats("probabilities"));
        AssertClose(seven, [.. one], Tolerance);
    }

    [Fact]
    public void Seconds_since_1970_keep_their_seconds()
    {
        var rows = Enumerable.Range(0, 200).Select(row => $"{1_600_000_000 + row},{(row < 100 ? "early" : "late")}\n");
        var model = Trained("mlp:8", new DataOptions { Data = _folder.Write("when.csv", $"when,kind\n{string.Concat(rows)}") });
        using var exported = new ExportedModel(model);
        Assert.Equal(["when"], exported.Inputs);
        var results = exported.Run(("when", new double[] { 1_600_000_003, 1_600_000_190, double.NaN }));
        var expected = Predict(model, "when", ["1600000003", "1600000190", ""]);
        Assert.Equal(["early", "late"], results.Texts("label")[..2]);
        AssertClose(expected.SelectMany(prediction => prediction.Probabilities), results.Floats("probabilities"), Tolerance);
    }

    [Fact]
    public void Columns_without_names_are_one_input_where_all_are_numbers()
    {
        float[][] points = [.. Enumerable.Range(0, 100).Select(i => new[] { i % 10, i / 10 * 1000f })];
        var dataset = Dataset.FromArrays(points, [.. points.Select(point => point[0] > 4 ? "right" : "left")]);
        var model = Train(dataset, "mlp:8");
        using var exported = new ExportedModel(model);
        Assert.Equal(["input"], exported.Inputs);
        Assert.Equal([-1, 2], exported.ShapeOf("input"));
        var results = exported.Run(("input", points.SelectMany(point => point).Select(value => (double)value).ToArray()));
        AssertClose(
            model.PredictAll(points).SelectMany(prediction => prediction.Probabilities),
            results.Floats("probabilities"),
            Tolerance
        );
    }

    [Fact]
    public void Columns_without_names_are_numbered_where_some_are_words()
    {
        var rows = Enumerable.Range(0, 100).Select(row => $"{row % 7},{(row % 2 == 0 ? "red" : "blue")},{(row % 2 == 0 ? "a" : "b")}\n");
        var model = Trained("mlp:8", new DataOptions { Data = _folder.Write("bare.csv", string.Concat(rows)), Header = false });
        using var exported = new ExportedModel(model);
        Assert.Equal(["input_0", "input_1"], exported.Inputs);
        Assert.Equal(["b"], exported.Run(("input_0", new double[] { 3 }), ("input_1", new[] { "blue" })).Texts("label"));
    }

    [Fact]
    public void Values_that_were_not_standardised_go_in_as_they_are()
    {
        float[][] points = [.. Enumerable.Range(0, 100).Select(i => new[] { i % 10 / 10f, i / 100f })];
        var options = new ArrayOptions { Standardize = false };
        var dataset = Dataset.FromArrays(points, [.. points.Select(point => point[0] > 0.4 ? "right" : "left")], options);
        var model = Train(dataset, "mlp:8");
        using var exported = new ExportedModel(model);
        var results = exported.Run(("input", points.SelectMany(point => point).Select(value => (double)value).ToArray()));
        AssertClose(
            model.PredictAll(points).SelectMany(prediction => prediction.Probabilities),
            results.Floats("probabilities"),
            Tolerance
        );
    }

    [Fact]
    public void Columns_keep_their_names_and_outputs_give_way()
    {
        var rows = Enumerable.Range(0, 100).Select(row => $"{row % 7},{row % 5},{row % 3},{row % 2},{(row % 2 == 0 ? "a" : "b")}\n");
        var text = $"label,Gemm,label,layers.0.weight,kind\n{string.Concat(rows)}";
        var model = Trained("mlp:8", new DataOptions { Data = _folder.Write("names.csv", text) });
        using var exported = new ExportedModel(model);
        Assert.Equal(["label", "Gemm", "label_1", "layers.0.weight"], exported.Inputs);
        Assert.Equal(["label_2", "probabilities", "logits"], exported.Outputs);
        var results = exported.Run(exported.Inputs.Select(name => (name, (Array)new double[] { 1, 2 })));
        Assert.Equal(2, results.Texts("label_2").Length);
    }

    [Fact]
    public void Words_alone_need_no_numbers()
    {
        var rows = Enumerable.Range(0, 100).Select(row => $"{(row % 2 == 0 ? "red" : "blue")},{(row % 2 == 0 ? "a" : "b")}\n");
        var model = Trained(
            "table",
            new DataOptions { Data = _folder.Write("words.csv", $"color,kind\n{string.Concat(rows)}"), Header = true }
        );
        using var exported = new ExportedModel(model);
        var expected = Predict(model, "color", ["red", "blue", "green"]);
        var results = exported.Run(("color", new[] { "red", "blue", "green" }));
        AssertClose(expected.SelectMany(prediction => prediction.Probabilities), results.Floats("probabilities"), Tolerance);
    }

    [Fact]
    public void Every_kind_of_layer_has_been_exported()
    {
        string[] models = [EveryLayer.OfImages, EveryLayer.OfColumns];
        Assert.All(LayerTypes.Names.Split(", "), type =>
            Assert.Contains(models, model => model.Contains($"\"type\":\"{type}\"", StringComparison.Ordinal))
        );
    }

    [Fact]
    public void The_same_model_is_the_same_file()
    {
        var model = Trained("mlp:8", Kind, new DataOptions());
        var (first, second) = (Path.Combine(_folder.Path, "1.onnx"), Path.Combine(_folder.Path, "2.onnx"));
        model.ExportOnnx(first);
        model.ExportOnnx(second);
        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
    }

    [Fact]
    public void A_model_that_does_not_fit_is_refused_with_the_remedy()
    {
        OnnxModel.RequireRoom("model", OnnxModel.MostParameters);
        var refusal = Assert.Throws<InputException>(() => OnnxModel.RequireRoom("model", OnnxModel.MostParameters + 1));
        Assert.Contains("export it as safetensors", refusal.Message, StringComparison.Ordinal);
    }

    private static string Features(int row) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(row % 11 == 3 ? "" : 1_600_000_000 + (row * 37))},{(row % 13 == 5 ? "-999" : row * 7 % 50 / 2.0)},{Color(row)},{10115 + (row % 3 * 2)},{(row % 17 == 8 ? "NA" : row % 6)}"
        );

    private static string Color(int row) =>
        (row % 9) switch
        {
            0 or 4 or 7 => "red",
            1 or 5 => "blue",
            2 => "",
            3 => "unknown",
            _ => row == 6 ? "once" : "green",
        };

    private static double Price(int row) => 250_000.0 + (row * 7 % 50 * 1000) + (row % 3 * 20_000);

    private static string Kind(int row) =>
        Price(row) > 290_000 ? "dear"
        : Price(row) > 270_000 ? "fair"
        : "cheap";

    private TrainedModel Trained(string layers, Func<int, string> target, DataOptions options)
    {
        var rows = Enumerable.Range(0, 400).Select(row => $"{Features(row)},{target(row)}\n");
        var data = _folder.Write("train.csv", $"{Header},kind\n{string.Concat(rows)}");
        return Trained(layers, options with { Data = data, Missing = options.Missing ?? "-999,unknown,NA,?" });
    }

    private TrainedModel Trained(string layers, DataOptions options) => Train(DatasetLoader.Load(options), layers);

    private TrainedModel Train(Dataset dataset, string layers)
    {
        var model = layers.StartsWith('{') ? _folder.Write("model.json", layers) : layers;
        var options = new TrainingOptions
        {
            Model = model,
            Epochs = 10,
            BatchSize = 32,
            EvalEvery = 1000,
            Optimizer = new AdamOptions { LearningRate = 0.01 },
        };
        return new Trainer(dataset, options) { Threads = 1 }
            .Train()
            .Model;
    }

    private Prediction[] Predict(TrainedModel model, string[] rows) => Predict(model, Header, rows);

    private Prediction[] Predict(TrainedModel model, string header, string[] rows)
    {
        // A second column, so that a row without a value is no blank line.
        var text = string.Concat(rows.Select(row => $"{row},\n").Prepend($"{header},kind\n"));
        var options = new DataOptions { Data = _folder.Write("new.csv", text), Ignore = model.Targets?.Count == 2 ? "kind" : null };
        var samples = DatasetLoader.LoadInputs(options, model.Inputs, () => Stream.Null);
        return [.. model.Predictions(samples.Count, (first, inputs) => samples.CopyInputs(first, model.Preprocessing, inputs))];
    }

    /// <summary>The cells of rows as a program would hold them: numbers, NaN for cells without one, and words as they are.</summary>
    private static IEnumerable<(string, Array)> Columns(ExportedModel exported, string[] rows)
    {
        foreach (var (column, name) in Header.Split(',').Index())
        {
            string[] cells = [.. rows.Select(row => row.Split(',')[column])];
            yield return exported.TypeOf(name) == typeof(string)
                ? (name, cells)
                : (
                    name,
                    Array.ConvertAll(cells, cell =>
                        double.TryParse(cell, CultureInfo.InvariantCulture, out var number) ? number : double.NaN
                    )
                );
        }
    }

    private void AgreeOnNumbers(TrainedModel model, ExportedModel exported)
    {
        var predictions = Predict(model, NewRows);
        var numbers = exported.Run(Columns(exported, NewRows)).Numbers("prediction");
        var targets = model.Targets!;
        Assert.Equal(predictions.Length * targets.Count, numbers.Length);
        for (var index = 0; index < numbers.Length; index++)
        {
            var (row, target) = int.DivRem(index, targets.Count);
            Assert.Equal(predictions[row].Numbers[target], numbers[index], Tolerance * targets.Deviations[target]);
        }
    }

    private static void AssertClose(IEnumerable<float> expected, float[] actual, double tolerance)
    {
        float[] all = [.. expected];
        Assert.Equal(all.Length, actual.Length);
        Assert.InRange(all.Zip(actual, (left, right) => Math.Abs(left - right)).Max(), 0, tolerance);
    }
}
