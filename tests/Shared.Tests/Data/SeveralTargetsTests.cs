using System.Globalization;
using Distributed.Data;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>Several columns of a table that hold numbers to predict.</summary>
public sealed class SeveralTargetsTests : IDisposable
{
    private const int Rows = 60;

    private static readonly float[][] Features = [.. Enumerable.Range(0, Rows).Select(i => new[] { (i * 37 % 101 / 8f) - 5, i % 7 })];

    private static readonly double[][] Targets = [.. Features.Select(x => new[] { 200 + (30.5 * x[0]), x[1] - (0.25 * x[0]) })];

    private static readonly Dataset Arrays = Dataset.FromArrays(
        Features,
        Targets,
        new ArrayOptions { TargetNames = ["price", "rent, net"] }
    );

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("price,\"rent, net\"", true)]
    [InlineData("3, 1", true)]
    [InlineData("3,1", false)]
    public void They_are_those_of_arrays_in_the_order_in_which_they_are_named(string columns, bool named)
    {
        var dataset = Open(Table(named), columns);
        Assert.Equal(Arrays.Sha256, dataset.Sha256);
        Assert.Equal(LearningTask.Regression, dataset.Task);
        Assert.Equal(named ? ["price", "rent, net"] : ["target0", "target1"], dataset.Targets!.Names);
        Assert.Equal(named ? new[] { "price", "rent, net" } : null, dataset.Columns?.Targets);
    }

    [Fact]
    public void A_name_with_commas_that_is_one_column_needs_no_quotes() =>
        Assert.Equal(["rent, net"], Open(Table(), "rent, net", ignore: "price").Targets!.Names);

    [Theory]
    [InlineData("x,\"rent, net\",y,price", true)]
    [InlineData("price,y,\"rent, net\",x", true)]
    [InlineData("x,1,y,3", false)]
    public void Other_files_are_matched_by_name_or_by_order(string header, bool named)
    {
        var data = _folder.Write("train.csv", Table(named));
        var test = named ? Reordered(header) : Table(named: false);
        var dataset = Dataset.Open(
            new DataOptions
            {
                Data = data,
                LabelColumn = named ? "price,\"rent, net\"" : "3,1",
                Test = _folder.Write("test.csv", test),
            }
        );
        Assert.Equal(Rows, dataset.Test.Count);
        Assert.Equal(dataset.Train.Targets, dataset.Test.Targets);
    }

    [Fact]
    public void A_saved_model_knows_the_names_of_its_targets_and_predicts_without_them()
    {
        var dataset = Open(Table(), "price,\"rent, net\"");
        var options = new TrainingOptions
        {
            Model = "mlp:9",
            BatchSize = 20,
            Steps = 3,
        };
        var path = Path.Combine(_folder.Path, "model.safetensors");
        new Trainer(dataset, options) { Threads = 1 }
            .Train()
            .Model.Save(path);
        var model = TrainedModel.Load(path);
        Assert.Equal(["price", "rent, net"], model.Inputs.Columns!.Targets);

        var all = Predict(model, Table());
        Assert.Equal(all, Predict(model, Reordered("y,x")));
        Assert.Equal(all, Predict(model, Reordered("y,price,x"))); // one of them may be there
        var (name, metrics) = TargetScores.Of(model, [dataset.Test])[1];
        Assert.Equal("rent, net", name);
        double[] errors = [.. Enumerable.Range(0, Rows).Where(row => row % 5 == 4).Select(row => all[row][1] - Targets[row][1])];
        Assert.Equal(Math.Sqrt(errors.Average(error => error * error)), metrics[0].Value, 1e-5);
        Assert.Equal(errors.Average(Math.Abs), metrics[1].Value, 1e-5);
    }

    [Theory]
    [InlineData(
        "price,y",
        null,
        LearningTask.Classification,
        "--label-column names 2 columns, and classes stand in one: name one of them, or say --task regression"
    )]
    [InlineData("price,3", null, null, "--label-column price,3 names column 'price' twice")]
    [InlineData(
        "price,height",
        null,
        null,
        "there is no column 'height'; --label-column takes an index from 0 to 3 or a name of the first row (x, rent, net, y, price)"
    )]
    [InlineData("price,y", "y", null, "--ignore leaves out column 'y', which holds the labels")]
    public void What_cannot_be_is_refused(string columns, string? ignore, LearningTask? task, string message)
    {
        var path = _folder.Write("bad.csv", Table());
        var options = new DataOptions
        {
            Data = path,
            LabelColumn = columns,
            Ignore = ignore,
            Task = task,
        };
        var refusal = Assert.Throws<InputException>(() => Dataset.Open(options));
        Assert.Equal(message, refusal.Message.Replace($"{path}: ", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("much", "line 3: the label 'much' of column 'b' is not a number, as is to be predicted; drop the row")]
    [InlineData("", "line 3: the label of column 'b' is empty")]
    public void What_is_no_number_is_refused_by_line_and_column(string text, string message)
    {
        var path = _folder.Write("bad.csv", $"x,a,b\n1,2,3\n2,3,{text}\n3,4,5\n4,5,6\n5,6,7\n");
        var refusal = Assert.Throws<InputException>(() => Dataset.Open(new DataOptions { Data = path, LabelColumn = "a,b" }));
        Assert.Equal(message, refusal.Message.Replace($"{path}: ", "", StringComparison.Ordinal));
    }

    private Dataset Open(string table, string columns, string? ignore = null) =>
        Dataset.Open(
            new DataOptions
            {
                Data = _folder.Write("table.csv", table),
                LabelColumn = columns,
                Ignore = ignore,
                Task = LearningTask.Regression,
            }
        );

    private double[][] Predict(TrainedModel model, string table)
    {
        var inputs = DatasetLoader.LoadInputs(new DataOptions { Data = _folder.Write("inputs.csv", table) }, model.Inputs, () =>
            Stream.Null
        );
        var predictions = model.Predictions(inputs.Count, (first, values) => inputs.CopyInputs(first, model.Preprocessing, values));
        return [.. predictions.Select(prediction => prediction.Numbers.ToArray())];
    }

    private static string Table(bool named = true) =>
        (named ? "x,\"rent, net\",y,price\n" : "")
        + string.Concat(Enumerable.Range(0, Rows).Select(row => Line(row, "x", "rent, net", "y", "price")));

    private static string Reordered(string header) =>
        header + "\n" + string.Concat(Enumerable.Range(0, Rows).Select(row => Line(row, [.. NameList.Parse(header)])));

    private static string Line(int row, params string[] columns) =>
        string.Join(
            ',',
            columns.Select(column =>
                Text(
                    column switch
                    {
                        "x" => Features[row][0],
                        "y" => Features[row][1],
                        "price" => Targets[row][0],
                        _ => Targets[row][1],
                    }
                )
            )
        ) + "\n";

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
