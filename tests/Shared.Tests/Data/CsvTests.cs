using System.Text;
using Distributed.Data;
using Distributed.Data.Formats.Csv;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class CsvTests : IDisposable
{
    private const string Rows = "1,10,b\n2,20,a\n3,30,b\n4,40,a\n100,1000,c\n";

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Columns_are_standardised_over_the_training_part_only()
    {
        var dataset = Load(Rows);

        // Training rows 1, 2, 3, 4: mean 2.5, deviation sqrt(1.25).
        var deviation = Math.Sqrt(1.25);
        Assert.Equal([2.5, 25], dataset.Preprocessing.Means);
        Assert.Equal([deviation, 10 * deviation], dataset.Preprocessing.Deviations);
        Assert.Equal([(float)(-1.5 / deviation), (float)(-15 / (10 * deviation))], DataFolder.Decode(dataset.Train)[..2]);
        Assert.Equal([(float)(97.5 / deviation), (float)(975 / (10 * deviation))], DataFolder.Decode(dataset.Test));
    }

    [Fact]
    public void Text_labels_are_classes_in_ordinal_order()
    {
        var dataset = Load("1,b\n1,B\n1,a\n1,Ä\n1,a\n");

        Assert.Equal(["B", "a", "b", "Ä"], dataset.ClassNames);
        Assert.Equal([2, 0, 1, 3], dataset.Train.Targets.ToArray());
        Assert.Equal([1], dataset.Test.Targets.ToArray());
    }

    [Fact]
    public void Integer_labels_are_classes_in_numeric_order_however_they_are_written()
    {
        var dataset = Load("1,10\n1,9\n1,-1\n1,10.0\n1,9e0\n");

        Assert.Equal(["-1", "9", "10"], dataset.ClassNames);
        Assert.Equal([2, 1, 0, 2], dataset.Train.Targets.ToArray());
        Assert.Equal([1], dataset.Test.Targets.ToArray());
    }

    [Fact]
    public void Standardisation_can_be_switched_off()
    {
        var dataset = Load(Rows, new DataOptions { Standardize = false });

        Assert.Empty(dataset.Preprocessing.Means);
        Assert.Equal([1f, 10f, 2f, 20f, 3f, 30f, 4f, 40f], DataFolder.Decode(dataset.Train));
        Assert.Equal([100f, 1000f], DataFolder.Decode(dataset.Test));
    }

    [Fact]
    public void A_constant_column_becomes_zero_even_where_its_sum_is_rounded()
    {
        var dataset = Load(string.Concat(Enumerable.Range(0, 20).Select(row => $"0.1,{row},{row % 2}\n")));

        var values = DataFolder.Decode(dataset.Train);

        Assert.Equal([0.1, 1], [dataset.Preprocessing.Means[0], dataset.Preprocessing.Deviations[0]]);
        Assert.All(values.Where((_, i) => i % 2 == 0), value => Assert.Equal(0f, value));
    }

    [Theory]
    [InlineData("x,y,label\n" + Rows, null)]
    [InlineData("x,y,label\n" + Rows, true)]
    [InlineData(",y,\n" + Rows, null)]
    [InlineData("1,2,3\n" + Rows, true)]
    [InlineData(Rows, null)]
    [InlineData(Rows, false)]
    public void A_header_is_detected_or_told(string text, bool? header)
    {
        var dataset = Load(text, new DataOptions { Header = header });

        Assert.Equal(5, dataset.Train.Count + dataset.Test.Count);
        Assert.Equal(["a", "b", "c"], dataset.ClassNames);
    }

    [Theory]
    [InlineData("x,kind,y\n1,b,10\n2,a,20\n3,b,30\n4,a,40\n100,c,1000\n", "kind")]
    [InlineData("x,kind,y\n1,b,10\n2,a,20\n3,b,30\n4,a,40\n100,c,1000\n", "1")]
    [InlineData("1,b,10\n2,a,20\n3,b,30\n4,a,40\n100,c,1000\n", "1")]
    [InlineData("b,1,10\na,2,20\nb,3,30\na,4,40\nc,100,1000\n", "0")]
    public void The_label_column_is_chosen_by_name_or_index(string text, string labelColumn)
    {
        var chosen = Load(text, new DataOptions { LabelColumn = labelColumn });

        Assert.Equal(Load(Rows).Sha256, chosen.Sha256);
    }

    [Theory]
    [InlineData("1,10,b\r\n2,20,a\r\n3,30,b\r\n4,40,a\r\n100,1000,c")]
    [InlineData("1,10,b\r2,20,a\r3,30,b\r4,40,a\r100,1000,c\r")]
    [InlineData("\uFEFF1,10,b\n2,20,a\n\n3,30,b\n4,40,a\n100,1000,c\n\n")]
    [InlineData("\"1\",10, b\n2,20,\"a\"\n 3 ,3e1,b\n+4,40.0,a\n100,\"1000\",c\n")]
    public void Line_ends_quotes_blank_rows_and_the_writing_of_numbers_do_not_matter(string text) =>
        Assert.Equal(Load(Rows).Sha256, Load(text).Sha256);

    [Fact]
    public void A_quoted_label_may_hold_commas_quotes_and_line_ends()
    {
        var dataset = Load("1,\"a,b\"\n2,\"say \"\"hi\"\"\"\n3,\"two\nlines\"\n4,\" x\"\n5,\"\"\"\"\n");

        Assert.Equal([" x", "\"", "a,b", "say \"hi\"", "two\nlines"], dataset.ClassNames);
    }

    [Fact]
    public void Compressed_text_is_read()
    {
        var path = _folder.Write("b.csv.gz", DataFolder.Gzip(Encoding.UTF8.GetBytes(Rows)));

        Assert.Equal(Load(Rows).Sha256, DatasetLoader.Load(new DataOptions { Data = path }).Sha256);
    }

    [Fact]
    public void A_test_file_uses_the_classes_and_the_standardisation_of_the_training_file()
    {
        var test = _folder.Write("test.csv", "2.5,25,b\n");

        var dataset = Load("1,10,a\n4,40,b\n", new DataOptions { Test = test });

        Assert.Equal([1], dataset.Test.Targets.ToArray());
        Assert.Equal([0f, 0f], DataFolder.Decode(dataset.Test));
    }

    [Theory]
    [InlineData("", "the file is empty; a dataset needs samples")]
    [InlineData("\n\n", "the file has no rows; a dataset needs samples")]
    [InlineData("x,y\n", "there is a header but no row; a dataset needs samples")]
    [InlineData("1 2 a\n1 2 b\n", "line 1: the row has 1 cell; a sample needs features and a label, with commas between them")]
    [InlineData("x,y,kind\n1,2,a\n1,a\n", "line 3: the row has 2 cells, but the first row has 3")]
    [InlineData("1,2,a\n1,2,3,4,a\n", "line 2: the row has 5 cells, but the first row has 3")]
    [InlineData("1,\"a\nb\"\n1\n", "line 3: the row has 1 cells, but the first row has 2")]
    [InlineData(
        "1,2,a\n1,3,a\n1,oops,b\n",
        "column 1 (the first is 0): 'oops' (line 3) among 2 different numbers; if they stand for gaps, name them with --missing, if the numbers are categories, name the column with --categorical"
    )]
    [InlineData("x,y,kind\n1,1e39,a\n", "line 2: column 'y': 1e39 does not fit in a 32-bit float")]
    [InlineData("1,-Infinity,a\n", "line 1: column 1 (the first is 0): -Infinity does not fit in a 32-bit float")]
    [InlineData("1,2,a\n1,2,\n", "line 2: the label is empty")]
    [InlineData("1,2,a\n1,2,nan\n", "line 2: the label is nan; drop the row")]
    [InlineData("1,2,0\n1,2,3.5\n1,2,1\n", "3 samples are too few to hold every fifth one back; name a test set with --test")]
    [InlineData("1,a\n2,a\n3,a\n4,a\n5,a\n", "every label is 'a'; classes need at least 2 (see --label-column)")]
    [InlineData("1,a\n2,b\n", "2 samples are too few to hold every fifth one back; name a test set with --test")]
    [InlineData("1,\"a\n2,b\n", "line 1: a quoted cell is never closed")]
    [InlineData("1,a\n\"2\"3,b\n", "line 2: text follows the closing quote of a cell")]
    [InlineData(
        "1,2,a\0\n",
        "the format is not known; a packed folder, an IDX pair, CIFAR binary files, Parquet or CSV (in UTF-8) can be read"
    )]
    public void Bad_files_are_refused_with_line_column_and_reason(string text, string reason) =>
        Assert.Equal($"a.csv: {reason}", _folder.Refusal(_folder.Write("a.csv", text)));

    [Fact]
    public void Text_in_another_encoding_is_refused() =>
        Assert.Equal(
            "a.csv: line 2: the text is not UTF-8; save the file in that encoding",
            _folder.Refusal(_folder.Write("a.csv", [.. "1,a\n2,"u8, 0xe4, .. "\n"u8]))
        );

    [Theory]
    [InlineData("kind", "there is no column 'kind'; --label-column takes an index from 0 to 2 or a name of the first row (x, y, z)")]
    [InlineData("3", "there is no column '3'; --label-column takes an index from 0 to 2 or a name of the first row (x, y, z)")]
    [InlineData("-1", "there is no column '-1'; --label-column takes an index from 0 to 2 or a name of the first row (x, y, z)")]
    public void A_label_column_that_is_not_there_is_refused(string labelColumn, string reason)
    {
        var path = _folder.Write("a.csv", "x,y,z\n1,2,3\n");

        Assert.Equal($"a.csv: {reason}", _folder.Refusal(new DataOptions { Data = path, LabelColumn = labelColumn }));
    }

    [Theory]
    [InlineData("1,2,3,a\n", "test.csv: 4 columns, but a.csv has 3")]
    [InlineData("x,z,kind\n1,2,a\n", "test.csv: there is no column 'y', which a.csv has")]
    [InlineData(
        "x,z,y,kind\n1,2,3,a\n",
        "test.csv: column 'z' is none that a.csv has; leave it out with --ignore, or name the column of the targets with --label-column"
    )]
    [InlineData("y,x\n1,2\n", "test.csv: there is no column 'kind' of labels besides the features; name it with --label-column")]
    [InlineData("1,2\n", "test.csv: 2 columns, but a.csv has 3")]
    [InlineData("1,2,a\n1,2,d\n", "test.csv: line 2: the label 'd' is not among the 2 classes of the training set")]
    public void A_test_file_that_does_not_go_with_the_training_file_is_refused(string text, string reason)
    {
        var path = _folder.Write("a.csv", "x,y,kind\n1,2,a\n1,2,b\n");
        var test = _folder.Write("test.csv", text);

        Assert.Equal(reason, _folder.Refusal(new DataOptions { Data = path, Test = test }));
    }

    [Fact]
    public void Sets_of_different_formats_are_refused()
    {
        var csv = _folder.Write("a.csv", Rows);
        var images = _folder.WritePair("train", 0, 1);

        Assert.Equal(
            "train-images-idx3-ubyte: not a table, but a.csv is one; --test needs the format of --data",
            _folder.Refusal(new DataOptions { Data = csv, Test = images })
        );
        Assert.StartsWith(
            "a.csv: a CSV file cannot test",
            _folder.Refusal(new DataOptions { Data = images, Test = csv }),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Other_text_in_rows_and_columns_is_read_by_a_format_that_turns_it_into_csv()
    {
        Semicolons format = new();
        string train = _folder.Write("a.txt", Rows.Replace(',', ';')),
            csv = _folder.Write("a.csv", Rows);

        var dataset = format.Read("a", new(format, train, [train]), new(new CsvFormat(), csv, [csv]), new DataOptions());

        Assert.Equal(DatasetLoader.Load(new DataOptions { Data = csv, Test = csv }).Sha256, dataset.Sha256);
    }

    private Dataset Load(string text, DataOptions? options = null) =>
        DatasetLoader.Load((options ?? new DataOptions()) with { Data = _folder.Write("a.csv", text) });

    private sealed class Semicolons : CsvFormat
    {
        protected override ByteContent ReadText(string path, Workspace workspace) =>
            new BytesInMemory(Encoding.UTF8.GetBytes(File.ReadAllText(path).Replace(';', ',')));
    }
}
