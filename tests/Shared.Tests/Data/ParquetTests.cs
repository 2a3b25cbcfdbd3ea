using Distributed.Data;
using ParquetSharp;
using Xunit;

namespace Distributed.Shared.Tests.Data;

/// <summary>Parquet gives the dataset that a CSV file of the same values gives.</summary>
public sealed class ParquetTests : IDisposable
{
    private const int Rows = 40;

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Compression.Uncompressed, true, 40)]
    [InlineData(Compression.Uncompressed, false, 7)]
    [InlineData(Compression.Snappy, true, 7)]
    [InlineData(Compression.Snappy, false, 40)]
    [InlineData(Compression.Zstd, true, 7)]
    [InlineData(Compression.Gzip, false, 13)]
    [InlineData(Compression.Lz4, true, 40)]
    [InlineData(Compression.Brotli, false, 13)]
    public void A_table_is_the_same_as_its_twin_in_csv(Compression compression, bool hasDictionary, int groupRows)
    {
        var path = Path.Combine(_folder.Path, "t.parquet");
        ParquetFiles.Write(path, Rows, groupRows, compression, hasDictionary, Columns(0, Rows));

        var twin = Open(Twin(0, Rows));
        var dataset = Open(path);

        Assert.Equal(twin.Sha256, dataset.Sha256);
        Assert.Equal(twin.Preprocessing.ToJson(), dataset.Preprocessing.ToJson());
        Assert.Equal(twin.Columns!.Features, dataset.Columns!.Features);
    }

    [Fact]
    public void A_folder_of_parts_is_one_table()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "parts"));
        ParquetFiles.Write(Path.Combine(_folder.Path, "parts", "part-0"), 15, 10, Compression.Snappy, true, Columns(0, 15));
        ParquetFiles.Write(Path.Combine(_folder.Path, "parts", "part-1"), Rows - 15, 100, Compression.Zstd, true, Columns(15, Rows - 15));

        Assert.Equal(Open(Twin(0, Rows)).Sha256, Open(Path.Combine(_folder.Path, "parts")).Sha256);

        _folder.Write("parts/part-2", "1,2,a\n");
        Assert.Equal(
            "parts: part-2 holds CSV (in UTF-8), but part-0 holds Parquet; move one away, or name a file",
            _folder.Refusal(Path.Combine(_folder.Path, "parts"))
        );
    }

    [Fact]
    public void Training_and_test_set_may_be_of_either_format()
    {
        var parquet = Path.Combine(_folder.Path, "t.parquet");
        ParquetFiles.Write(parquet, Rows, Rows, Compression.Snappy, true, Columns(0, Rows));
        var csv = Twin(0, Rows);
        var expected = DatasetLoader.Load(new DataOptions { Data = csv, Test = csv }).Sha256;

        Assert.Equal(expected, DatasetLoader.Load(new DataOptions { Data = parquet, Test = csv }).Sha256);
        Assert.Equal(expected, DatasetLoader.Load(new DataOptions { Data = csv, Test = parquet }).Sha256);
    }

    [Fact]
    public void A_column_of_strings_that_are_all_numbers_is_one_of_numbers()
    {
        var path = Path.Combine(_folder.Path, "t.parquet");
        ParquetFiles.Write(path, ParquetFiles.Of("x", Texts("1", "2.5", null, "-3")), Label());

        Assert.Equal(["x"], Open(path).Columns!.Features);
        Assert.IsType<Distributed.Data.Tables.NumberEncoding>(Assert.Single(Open(path).Preprocessing.Table!.Columns));
    }

    [Fact]
    public void A_number_of_the_list_of_missing_texts_is_a_gap()
    {
        var path = Path.Combine(_folder.Path, "t.parquet");
        ParquetFiles.Write(path, ParquetFiles.Of("x", Numbers(1, -999, 3, 4)), Label());
        var csv = _folder.Write(
            "t.csv",
            "x,kind\n" + string.Concat(Enumerable.Range(0, 10).Select(i => $"{Numbers(1, -999, 3, 4)[i]},{Kind(i)}\n"))
        );
        var options = new DataOptions { Missing = "-999" };

        Assert.Equal(Dataset.Open(options with { Data = csv }).Sha256, Dataset.Open(options with { Data = path }).Sha256);
    }

    [Fact]
    public void Numbers_are_classes_and_categories_where_they_are_said_to_be()
    {
        var path = Path.Combine(_folder.Path, "t.parquet");
        long[] zip = [.. Enumerable.Range(0, 10).Select(i => 9007199254740993 + (i % 2))]; // as a double, they would be the same
        ParquetFiles.Write(path, ParquetFiles.Of("zip", zip), ParquetFiles.Of("kind", Numbers(2, 1, 3)));

        var dataset = Dataset.Open(new DataOptions { Data = path, Categorical = "zip" });

        Assert.Equal(["1", "2", "3"], dataset.ClassNames);
        Assert.Equal(3, Assert.Single(dataset.Inputs.Categories).Size);
    }

    [Fact]
    public void The_index_that_pandas_keeps_of_chosen_rows_is_no_column()
    {
        var path = Path.Combine(_folder.Path, "t.parquet");
        ParquetFiles.Write(path, ParquetFiles.Of("x", Numbers(1, 2, 3)), Label(), ParquetFiles.Of("__index_level_0__", Numbers(5, 9, 7)));

        Assert.Equal(("x", "kind"), (Assert.Single(Open(path).Columns!.Features), Open(path).Columns!.Target));
    }

    [Fact]
    public void Columns_that_are_no_single_numbers_or_texts_are_refused_unless_they_are_left_out()
    {
        var path = Path.Combine(_folder.Path, "t.parquet");
        ParquetFiles.Write(
            path,
            ParquetFiles.Of("x", Numbers(1, 2, 3)),
            ParquetFiles.Of("day", Enumerable.Repeat(new DateOnly(2020, 1, 2), 10).ToArray()),
            ParquetFiles.Of("time", Enumerable.Repeat(new DateTime(2020, 1, 2), 10).ToArray()),
            ParquetFiles.Of("raw", Enumerable.Repeat(new byte[] { 1 }, 10).ToArray()),
            ParquetFiles.Of("list", Enumerable.Repeat(new[] { 1, 2 }, 10).ToArray()),
            Label()
        );

        var refusals = Assert.Throws<InputException>(() => Open(path)).Message.Split('\n');

        Assert.Equal(
            [
                $"{path}: column 'day': it holds dates; leave it out with --ignore, or replace it by numbers such as year, month and weekday",
                $"{path}: column 'time': it holds dates; leave it out with --ignore, or replace it by numbers such as year, month and weekday",
                $"{path}: column 'raw': it holds bytes; leave it out with --ignore, or write text as strings",
                $"{path}: column 'list': it holds several values in a row; leave it out with --ignore, or make columns of them",
            ],
            refusals
        );
        Assert.Equal(["x"], Dataset.Open(new DataOptions { Data = path, Ignore = "day,time,raw,list" }).Columns!.Features);
    }

    [Fact]
    public void A_number_that_does_not_fit_is_refused_with_its_row_group_and_row()
    {
        var path = Path.Combine(_folder.Path, "t.parquet");
        double[] numbers = [1, 2, 3, 4, 5, 6, double.PositiveInfinity, 8, 9, 10];
        ParquetFiles.Write(path, 10, 4, Compression.Snappy, true, ParquetFiles.Of("x", numbers), Label());

        Assert.Equal("t.parquet: row group 1, row 2: column 'x': Infinity does not fit in a 32-bit float", _folder.Refusal(path));
    }

    [Theory]
    [InlineData(Compression.Zstd)]
    [InlineData(Compression.Snappy)]
    [InlineData(Compression.Gzip)]
    public void Damaged_values_are_refused_with_row_group_and_column(Compression compression)
    {
        var path = Path.Combine(_folder.Path, "t.parquet");
        double[] x = [.. Enumerable.Range(0, 2000).Select(i => i * 0.37)];
        string[] kind = [.. Enumerable.Range(0, 2000).Select(Kind)];
        ParquetFiles.Write(
            path,
            2000,
            1000,
            compression,
            false,
            ParquetFiles.Of("x", x),
            ParquetFiles.Of("y", x),
            ParquetFiles.Of("kind", kind)
        );
        var content = File.ReadAllBytes(path);
        content.AsSpan((int)StartOfSecondColumn(path) + 5, 60).Fill(0xff);
        File.WriteAllBytes(path, content);

        var refusal = _folder.Refusal(path);

        Assert.StartsWith("t.parquet: row group 1: column 'y' cannot be read (", refusal, StringComparison.Ordinal);
        Assert.EndsWith("get it again, or write it anew", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_cut_or_whose_footer_is_damaged_is_refused()
    {
        var path = Path.Combine(_folder.Path, "t.parquet");
        ParquetFiles.Write(path, Rows, 7, Compression.Snappy, true, Columns(0, Rows));
        var content = File.ReadAllBytes(path);

        foreach (var length in new[] { 5, 100, content.Length / 2, content.Length - 1 })
        {
            Assert.Equal(
                $"t.parquet: the file is truncated: it begins as a Parquet file, but does not end as one after {length} bytes; get it again",
                _folder.Refusal(_folder.Write("t.parquet", content[..length]))
            );
        }

        var damaged = content.ToArray();
        damaged.AsSpan(damaged.Length - 200, 100).Fill(0xff);
        Assert.StartsWith(
            "t.parquet: its footer cannot be read (",
            _folder.Refusal(_folder.Write("t.parquet", damaged)),
            StringComparison.Ordinal
        );
        Assert.StartsWith(
            "t.parquet: its footer cannot be read (",
            _folder.Refusal(_folder.Write("t.parquet", [.. content[..^8], 0xff, 0xff, 0xff, 0x7f, .. "PAR1"u8])),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Whatever_byte_is_damaged_the_file_is_read_or_refused_by_name()
    {
        var path = Path.Combine(_folder.Path, "t.parquet");
        ParquetFiles.Write(path, Rows, 7, Compression.Snappy, true, Columns(0, Rows));
        var content = File.ReadAllBytes(path);
        for (var at = 4; at < content.Length - 4; at += 7)
        {
            var damaged = content.ToArray();
            damaged[at] ^= 0x55;
            _folder.Write("t.parquet", damaged);
            try
            {
                Open(path);
            }
            catch (InputException refusal)
            {
                Assert.All(refusal.Message.Split('\n'), line =>
                    Assert.True(
                        line.StartsWith(path, StringComparison.Ordinal) || line.StartsWith("--data", StringComparison.Ordinal),
                        line
                    )
                );
            }
        }
    }

    [Fact]
    public void Parts_of_other_columns_are_refused()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "parts"));
        ParquetFiles.Write(Path.Combine(_folder.Path, "parts", "a"), ParquetFiles.Of("x", Numbers(1, 2)), Label());
        ParquetFiles.Write(Path.Combine(_folder.Path, "parts", "b"), ParquetFiles.Of("y", Numbers(1, 2)), Label());

        Assert.Equal(
            "parts/b: its columns, 'y,kind', are not those of a, 'x,kind'; write all parts with the same ones",
            _folder.Refusal(Path.Combine(_folder.Path, "parts"))
        );
    }

    [Fact]
    public void What_is_said_of_text_does_not_go_with_parquet()
    {
        var path = Path.Combine(_folder.Path, "t.parquet");
        ParquetFiles.Write(path, ParquetFiles.Of("x", Numbers(1, 2)), Label());

        Assert.Equal(
            "--header does not go with t.parquet, whose columns have names and types; leave it out",
            _folder.Refusal(new DataOptions { Data = path, Header = true })
        );
    }

    [Fact]
    public void Text_that_begins_like_parquet_is_text()
    {
        var path = _folder.Write("t", "PAR1,PAR2,kind\n1,2,a\n2,3,b\n3,4,a\n4,5,b\n5,6,a\n");

        Assert.Equal(["PAR1", "PAR2"], Open(path).Columns!.Features);
    }

    [Fact]
    public void A_file_that_is_compressed_as_a_whole_is_read_too()
    {
        var path = Path.Combine(_folder.Path, "t.parquet");
        ParquetFiles.Write(path, Rows, 7, Compression.Snappy, true, Columns(0, Rows));

        Assert.Equal(Open(path).Sha256, Open(_folder.Write("t.parquet.gz", DataFolder.Gzip(File.ReadAllBytes(path)))).Sha256);
    }

    /// <summary>Where the second column of the second row group begins: chunks lie one behind the other.</summary>
    private static long StartOfSecondColumn(string path)
    {
        using var file = new ParquetFileReader(path);
        using RowGroupReader first = file.RowGroup(0),
            second = file.RowGroup(1);
        var before = Enumerable.Range(0, 3).Sum(column => first.MetaData.GetColumnChunkMetaData(column).TotalCompressedSize);
        return 4 + before + second.MetaData.GetColumnChunkMetaData(0).TotalCompressedSize;
    }

    private static string Kind(int row) => row % 3 == 0 ? "b" : "a";

    private static ParquetFiles.Values Label() => ParquetFiles.Of("kind", Enumerable.Range(0, 10).Select(Kind).ToArray());

    private static int[] Numbers(params int[] numbers) => [.. Enumerable.Range(0, 10).Select(row => numbers[row % numbers.Length])];

    private static string?[] Texts(params string?[] texts) => [.. Enumerable.Range(0, 10).Select(row => texts[row % texts.Length])];

    private static IEnumerable<TableRow> Table(int first, int count) => Enumerable.Range(first, count).Select(TableRow.Of);

    private static ParquetFiles.Values[] Columns(int first, int count)
    {
        TableRow[] rows = [.. Table(first, count)];
        return
        [
            ParquetFiles.Of("flag", rows.Select(row => row.Flag).ToArray()),
            ParquetFiles.Of("number", rows.Select(row => row.Number).ToArray()),
            ParquetFiles.Of("large", rows.Select(row => row.Large).ToArray()),
            ParquetFiles.Of("single", rows.Select(row => row.Single).ToArray()),
            ParquetFiles.Of("real", rows.Select(row => row.Real).ToArray()),
            ParquetFiles.Of("price", rows.Select(row => row.Price).ToArray(), LogicalType.Decimal(10, 2)),
            ParquetFiles.Of("color", rows.Select(row => row.Color).ToArray()),
            ParquetFiles.Of("kind", rows.Select(row => row.Kind).ToArray()),
        ];
    }

    private string Twin(int first, int count) => _folder.Write("twin.csv", TableRow.Csv(Table(first, count)));

    private static Dataset Open(string path) => DatasetLoader.Load(new DataOptions { Data = path });
}
