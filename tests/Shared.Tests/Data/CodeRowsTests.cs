using System.Data;
using Distributed.Data;
using Distributed.Objectives;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>Rows from code give the dataset that a CSV file of the same values gives.</summary>
public sealed class CodeRowsTests : IDisposable
{
    private readonly DataFolder _folder = new();

    private enum Size
    {
        Small,
        Large,
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Objects_are_rows_and_their_properties_columns()
    {
        var rows = Rows().ToList();

        var dataset = Dataset.FromRows(rows);

        Assert.Equal(Twin(new DataOptions()).Sha256, dataset.Sha256);
        Assert.Equal(["Flag", "Number", "Large", "Single", "Real", "Price", "Color"], dataset.Columns!.Features);
        Assert.Equal("Kind", dataset.Columns.Target);
    }

    [Fact]
    public void A_reader_gives_rows_once()
    {
        using var reader = Table().CreateDataReader();

        Assert.Equal(Twin(new DataOptions()).Sha256, Dataset.FromReader(reader).Sha256);
        Assert.False(reader.IsClosed);
    }

    [Fact]
    public void Options_are_those_of_files()
    {
        var options = new DataOptions
        {
            LabelColumn = "price",
            Categorical = "number",
            Numeric = "real",
            Ignore = "large,color",
            Missing = "0,NaN",
            Task = LearningTask.Regression,
            Standardize = false,
        };
        using var reader = Table(withoutPriceGaps: true).CreateDataReader();

        Assert.Equal(Twin(options, withoutPriceGaps: true).Sha256, Dataset.FromReader(reader, options).Sha256);
    }

    [Fact]
    public void A_model_predicts_rows_with_words_gaps_and_without_their_target()
    {
        var flats = Enumerable
            .Range(0, 100)
            .Select(i => new Flat(i % 9 == 0 ? null : i % 7, i % 3 == 0 ? "Mitte" : "Wedding", 100.5 + i))
            .ToList();
        var options = new TrainingOptions
        {
            Model = "mlp:5",
            Steps = 3,
            Optimizer = new AdamOptions(),
        };
        var model = new Trainer(Dataset.FromRows(flats), options).Train().Model;
        var path = _folder.Write("new.csv", "Floor,District\n3,Mitte\n,Wedding\n5,Pankow\n");
        var samples = DatasetLoader.LoadInputs(new DataOptions { Data = path }, model.Inputs, () => Stream.Null);
        double[] expected =
        [
            .. model.Predictions(3, (first, inputs) => samples.CopyInputs(first, model.Preprocessing, inputs)).Select(Number),
        ];

        Room[] rows = [new(3, "Mitte"), new(null, "Wedding"), new(5, "Pankow")];
        Assert.Equal(expected, model.PredictRows(rows).Select(Number));
        Assert.Equal(expected[0], Number(model.PredictRows([new Flat(3, "Mitte", 0)])[0]));
        using var table = new DataTable();
        table.Columns.Add("District", typeof(string));
        table.Columns.Add("Floor", typeof(int));
        table.Rows.Add("Wedding", DBNull.Value);
        using var reader = table.CreateDataReader();
        Assert.Equal(expected[1], Number(Assert.Single(model.PredictReader(reader))));
        Assert.Contains(
            "there is no column 'District'",
            Assert.Throws<InputException>(() => model.PredictRows([new { Floor = 3 }])).Message,
            StringComparison.Ordinal
        );

        static double Number(Prediction prediction) => prediction.Number!.Value;
    }

    private sealed record Flat(int? Floor, string District, double Rent);

    private sealed record Room(int? Floor, string District);

    [Fact]
    public void A_test_set_is_matched_by_name()
    {
        using var train = Table().CreateDataReader();
        using var test = new DataView(Table())
            .ToTable(false, "kind", "color", "price", "real", "single", "large", "number", "flag")
            .CreateDataReader();
        var twin = _folder.Write("twin.csv", TableRow.Csv(Rows()));

        Assert.Equal(Dataset.Open(new DataOptions { Data = twin, Test = twin }).Sha256, Dataset.FromReader(train, test: test).Sha256);
    }

    [Fact]
    public void Enumerations_are_words_and_base_types_come_first()
    {
        var dataset = Dataset.FromRows(
            Enumerable
                .Range(0, 20)
                .Select(i => new Derived
                {
                    Last = i % 2,
                    Weight = i / 3.0,
                    Size = i % 3 == 0 ? Size.Small : Size.Large,
                })
        );

        Assert.Equal(["Weight", "Size"], dataset.Columns!.Features);
        Assert.Equal("Size", Assert.Single(dataset.Inputs.Categories).Name);
    }

    [Fact]
    public void Columns_that_cannot_be_read_are_refused_by_name_unless_they_are_left_out()
    {
        var rows = Enumerable
            .Range(0, 10)
            .Select(i => new
            {
                When = new DateTime(2020, 1, 1),
                Tags = new[] { "a" },
                X = i,
                Kind = i % 2,
            })
            .ToList();

        var message = Assert.Throws<InputException>(() => Dataset.FromRows(rows)).Message.Split('\n');

        Assert.Equal(2, message.Length);
        Assert.StartsWith("rows: column 'When': it holds dates; leave it out with --ignore", message[0], StringComparison.Ordinal);
        Assert.Equal(
            "rows: column 'Tags': it holds values of the type String[], not single numbers or texts; leave it out with --ignore",
            message[1]
        );
        Assert.Equal(["X"], Dataset.FromRows(rows, new DataOptions { Ignore = "When,Tags" }).Columns!.Features);
    }

    [Fact]
    public void Bad_values_are_refused_with_column_and_row()
    {
        var rows = Enumerable.Range(0, 10).Select(i => new { X = i == 7 ? 1e39 : i, Kind = i % 2 });

        Assert.Equal(
            "rows: row 7: column 'X': 1E+39 does not fit in a 32-bit float",
            Assert.Throws<InputException>(() => Dataset.FromRows(rows)).Message
        );
        Assert.Equal(
            "rows: row 3: the label is empty",
            Assert
                .Throws<InputException>(() =>
                    Dataset.FromRows(Enumerable.Range(0, 10).Select(i => new { X = i, Y = i == 3 ? null : (int?)1 }))
                )
                .Message
        );
    }

    [Fact]
    public void What_cannot_be_a_table_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Dataset.FromRows(new[] { new object() }));
        Assert.Throws<ArgumentException>(() => Dataset.FromRows(Rows(), new DataOptions { Header = true }));
        Assert.Contains("no row", Assert.Throws<InputException>(() => Dataset.FromRows(Array.Empty<TableRow>())).Message);
    }

    private static IEnumerable<TableRow> Rows() => Enumerable.Range(0, 40).Select(TableRow.Of);

    private static DataTable Table(bool withoutPriceGaps = false)
    {
        var table = new DataTable { Locale = System.Globalization.CultureInfo.InvariantCulture };
        table.Columns.Add("flag", typeof(bool));
        table.Columns.Add("number", typeof(int));
        table.Columns.Add("large", typeof(long));
        table.Columns.Add("single", typeof(float));
        table.Columns.Add("real", typeof(double));
        table.Columns.Add("price", typeof(decimal));
        table.Columns.Add("color", typeof(string));
        table.Columns.Add("kind", typeof(string));
        foreach (var row in Chosen(withoutPriceGaps))
        {
            object?[] values = [row.Flag, row.Number, row.Large, row.Single, row.Real, row.Price, row.Color, row.Kind];
            table.Rows.Add([.. values.Select(value => value ?? DBNull.Value)]);
        }

        return table;
    }

    private static IEnumerable<TableRow> Chosen(bool withoutPriceGaps) => Rows().Where(row => !withoutPriceGaps || row.Price is not null);

    private Dataset Twin(DataOptions options, bool withoutPriceGaps = false) =>
        Dataset.Open(options with { Data = _folder.Write("twin.csv", TableRow.Csv(Chosen(withoutPriceGaps))) });

    private class Base
    {
        public double Weight { get; init; }
    }

    private sealed class Derived : Base
    {
        public Size Size { get; init; }

        public int Last { get; init; }
    }
}
