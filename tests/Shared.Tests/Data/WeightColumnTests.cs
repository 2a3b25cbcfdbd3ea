using System.Globalization;
using Distributed.Data;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>A column of a table that says how much each training sample counts.</summary>
public sealed class WeightColumnTests : IDisposable
{
    private const int Rows = 120;

    private static readonly TrainingOptions Options = new()
    {
        Model = "mlp:9",
        BatchSize = 40,
        Microbatch = 7,
        Steps = 6,
        Optimizer = new AdamOptions { LearningRate = 0.01 },
    };

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Weights_in_a_column_are_those_of_arrays()
    {
        var table = Open(Table(weighted: true), weights: "w");
        float[][] features = [.. Enumerable.Range(0, Rows).Select(Features)];
        string[] labels = [.. Enumerable.Range(0, Rows).Select(Label)];
        double[] weights = [.. Enumerable.Range(0, Rows).Select(row => row % 5 == 4 ? 1 : Weight(row))];
        var arrays = Dataset.FromArrays(features, labels, new ArrayOptions { Weights = weights });
        Assert.Equal(arrays.Sha256, table.Sha256);
        Assert.True(table.HasWeights);
        Assert.Equal(Hash(arrays, Options), Hash(table, Options));
        var balanced = Options with { ClassWeights = ClassWeights.Of(2, 0.5) };
        Assert.Equal(Hash(arrays, balanced), Hash(table, balanced));
        Assert.NotEqual(Hash(table, Options), Hash(table, balanced));
    }

    [Fact]
    public void It_is_no_feature_and_counts_in_the_hash_and_what_judges_counts_alike()
    {
        var (plain, weighted) = (Open(Table(weighted: false)), Open(Table(weighted: true), weights: "w"));
        Assert.Equal(plain.Shape, weighted.Shape);
        Assert.Equal(plain.Preprocessing.ToJson(), weighted.Preprocessing.ToJson());
        Assert.NotEqual(plain.Sha256, weighted.Sha256);
        Assert.Equal(["w"], weighted.Columns!.Ignored);
        var other = Open(Table(weighted: true, judges: _ => 9), weights: "w");
        Assert.Equal(weighted.Sha256, other.Sha256);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Other_files_may_have_it_or_not(bool named)
    {
        var data = _folder.Write("train.csv", Table(weighted: true, named: named));
        var name = named ? "w" : "1";
        Dataset With(bool weighted) =>
            Dataset.Open(
                new DataOptions
                {
                    Data = data,
                    WeightColumn = name,
                    Test = _folder.Write("test.csv", Table(weighted, named)),
                    Holdout = _folder.Write("held.csv", Table(weighted, named, judges: _ => -1)),
                }
            );
        Assert.Equal(With(weighted: true).Sha256, With(weighted: false).Sha256);
    }

    [Fact]
    public void A_model_does_not_ask_for_it()
    {
        var dataset = Open(Table(weighted: true), weights: "w");
        var model = new Trainer(dataset, Options) { Threads = 1 }
            .Train()
            .Model;
        float[] With(bool weighted)
        {
            var inputs = DatasetLoader.LoadInputs(
                new DataOptions { Data = _folder.Write("inputs.csv", Table(weighted, judges: _ => double.NaN)) },
                model.Inputs,
                () => Stream.Null
            );
            return
            [
                .. model
                    .Predictions(inputs.Count, (first, values) => inputs.CopyInputs(first, model.Preprocessing, values))
                    .SelectMany(one => one.Probabilities),
            ];
        }

        Assert.Equal(With(weighted: false), With(weighted: true));
    }

    [Theory]
    [InlineData("-1", "line 4: column 'w': '-1' is no weight; write how much the sample counts, a number of at least 0")]
    [InlineData("", "line 4: column 'w': '' is no weight; write how much the sample counts, a number of at least 0")]
    [InlineData("much", "line 4: column 'w': 'much' is no weight; write how much the sample counts, a number of at least 0")]
    [InlineData("inf", "line 4: column 'w': 'inf' is no weight; write how much the sample counts, a number of at least 0")]
    [InlineData("1e39", "line 4: column 'w': '1e39' is no weight; write how much the sample counts, a number of at least 0")]
    public void What_is_no_weight_is_refused_by_line(string weight, string message) =>
        Assert.Equal(message, Refusal($"x,w,kind\n1,1,a\n2,1,b\n3,{weight},a\n4,1,b\n5,1,a\n", "w"));

    [Theory]
    [InlineData("w", "every weight of the training part is 0: there is nothing to learn; see --weight-column")]
    [InlineData("kind", "--weight-column names column 'kind', which holds the labels; name these with --label-column")]
    [InlineData("v", "there is no column 'v'; --weight-column takes an index from 0 to 2 or a name of the first row (x, w, kind)")]
    public void Weights_that_cannot_be_are_refused(string column, string message) =>
        Assert.Equal(message, Refusal("x,w,kind\n1,0,a\n2,0,b\n3,0,a\n4,0,b\n5,1,a\n", column));

    private string Refusal(string table, string column)
    {
        var path = _folder.Write("bad.csv", table);
        var refusal = Assert.Throws<InputException>(() => Dataset.Open(new DataOptions { Data = path, WeightColumn = column }));
        return refusal.Message.Replace($"{path}: ", "", StringComparison.Ordinal);
    }

    private Dataset Open(string table, string? weights = null) =>
        Dataset.Open(new DataOptions { Data = _folder.Write("table.csv", table), WeightColumn = weights });

    private static float[] Features(int row) => [(row * 37 % 101 / 8f) - 5, row % 7];

    private static string Label(int row) => row * 37 % 101 > 40 + (row % 7) ? "a" : "b";

    private static double Weight(int row) => row % 4 / 2.0;

    private static string Table(bool weighted, bool named = true, Func<int, double>? judges = null)
    {
        var rows = Enumerable
            .Range(0, Rows)
            .Select(row =>
            {
                var weight = row % 5 == 4 && judges is not null ? judges(row) : Weight(row);
                string[] cells =
                [
                    Text(Features(row)[0]),
                    .. weighted ? [Text(weight)] : Array.Empty<string>(),
                    Text(Features(row)[1]),
                    Label(row),
                ];
                return string.Join(',', cells) + "\n";
            });
        return (
                named
                    ? weighted
                        ? "x,w,y,kind\n"
                        : "x,y,kind\n"
                    : ""
            ) + string.Concat(rows);
    }

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private static string Hash(Dataset dataset, TrainingOptions options) =>
        new Trainer(dataset, options) { Threads = 1 }
            .Train()
            .Model.WeightsSha256;
}
