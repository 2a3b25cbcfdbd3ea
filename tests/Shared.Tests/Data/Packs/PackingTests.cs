using System.Globalization;
using Distributed.Data;
using Distributed.Data.Packs;
using ParquetSharp;
using Xunit;

namespace Distributed.Shared.Tests.Data.Packs;

/// <summary>Loading into a pack, which is read and written piece by piece, beside loading into memory.</summary>
public sealed class PackingTests : IDisposable
{
    // Some of everything: samples, columns and files are cut into many blocks, of which none ends where another does.
    private const int BlockBytes = 1000;

    private const int Rows = 3000;

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("digits")]
    [InlineData("classes.csv")]
    [InlineData("classes.csv.gz")]
    [InlineData("numbers.csv")]
    [InlineData("targets.csv")]
    [InlineData("integers.csv")]
    [InlineData("parts")]
    [InlineData("table.parquet")]
    [InlineData("table.parquet.gz")]
    [InlineData("images")]
    [InlineData("split-images")]
    [InlineData("compressed-images")]
    [InlineData("cifar")]
    [InlineData("coarse-and-fine")]
    public void Every_format_is_packed_as_it_is_loaded(string data)
    {
        RequireSameBytes(Options(data));
        RequireSameBytes(Options(data) with { Holdout = "0.13" });
    }

    [Theory]
    [InlineData("classes.csv")]
    [InlineData("numbers.csv")]
    [InlineData("cifar")]
    [InlineData("split-images")]
    public void Sets_of_their_own_are_packed_as_they_are_loaded(string data)
    {
        var options = Options(data);
        RequireSameBytes(options with { Test = options.Data });
        RequireSameBytes(options with { Test = options.Data, Holdout = options.Data });
    }

    [Fact]
    public void What_is_said_of_columns_counts_as_it_does_for_loading()
    {
        var options = Options("numbers.csv");
        RequireSameBytes(options with { WeightColumn = "size" });
        RequireSameBytes(options with { WeightColumn = "size", Test = options.Data, Holdout = options.Data });
        RequireSameBytes(options with { Ignore = "gap", Standardize = false, Categorical = "size" });
        RequireSameBytes(options with { Missing = "red,?", LabelColumn = "size" });
    }

    /// <summary>The text is longer than what is read at a time, and words appear late in it.</summary>
    [Fact]
    public void Long_texts_are_packed_as_they_are_loaded()
    {
        const int rows = 300_000;
        var text = string.Concat(
            Enumerable
                .Range(0, rows)
                .Select(row =>
                    string.Create(CultureInfo.InvariantCulture, $"{row % 977}.25,\"w,{row / 9_000}\",{row % 7},{row * 31L % 1009}\n")
                )
        );
        RequireSameBytes(new DataOptions { Data = _folder.Write("long.csv", text) });
    }

    [Fact]
    public void A_pack_is_packed_again_as_it_is()
    {
        var first = Pack(Options("classes.csv"), "first");
        var again = Pack(new DataOptions { Data = first.Location }, "again");
        Assert.Equal(first.Sha256, again.Sha256);
        RequireSameFiles("first", "again", but: PackManifest.FileName); // which has the name of its source
    }

    [Theory]
    [InlineData("empty.csv", "")]
    [InlineData("ragged.csv", "a,b,y\n1,2,3\n1,2,4\n1,2\n")]
    [InlineData("open.csv", "a,b,y\n1,2,3\n1,\"2,4\n1,2,3\n")]
    [InlineData("texts.csv", "a,b,y\n1,oops,3.5\n1,2,4\n1,3,3\n1,7,5\n2,8,6\n")]
    [InlineData("several.csv", "a,b,y\n2020-01-02,a,3.5\n2020-01-03,b,4\n2020-01-04,c,3\n2020-01-05,d,5\n2020-01-06,e,6\n")]
    [InlineData("large.csv", "a,b,y\n1,2,3.5\n1,2,4\n1,3,3\n1,1e300,5\n2,8,6\n")]
    [InlineData("far.csv", "a,y\n1,1\n1,2.5\n2,1\n2,1\n1e38,1e308\n3,1\n3,1\n")]
    [InlineData("few.csv", "a,y\n1,1.5\n2,2\n")]
    [InlineData("asked.csv", "0,1,2\n1,2,3\n")]
    public void Bad_data_is_refused_in_the_same_words(string name, string text)
    {
        var options = new DataOptions { Data = _folder.Write(name, text) };

        var loading = Assert.Throws<InputException>(() => DatasetLoader.Load(options));
        var packing = Assert.Throws<InputException>(() => Pack(options, "pack"));

        Assert.Equal(loading.Message, packing.Message);
        Assert.Equal([name], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName)); // nothing is left behind
    }

    [Theory]
    [InlineData(-9)] // within what is compressed
    [InlineData(-30)]
    public void A_truncated_archive_is_refused_in_the_same_words(int end)
    {
        var options = Options("classes.csv.gz");
        File.WriteAllBytes(options.Data, File.ReadAllBytes(options.Data)[..^-end]);
        Assert.Equal(
            Assert.Throws<InputException>(() => DatasetLoader.Load(options)).Message,
            Assert.Throws<InputException>(() => Pack(options, "pack")).Message
        );
    }

    [Fact]
    public void A_class_that_training_has_not_is_refused_in_the_same_words()
    {
        var test = _folder.Write("test.csv", "n,color,gap,size,y\n1,red,,1,a\n1,red,,1,other\n");
        var options = Options("classes.csv") with { Test = test };
        Assert.Equal(
            Assert.Throws<InputException>(() => DatasetLoader.Load(options)).Message,
            Assert.Throws<InputException>(() => Pack(options, "pack")).Message
        );
    }

    [Fact]
    public void Columns_that_are_kept_in_files_leave_no_name_behind()
    {
        string[] during = [];
        DatasetPack.Write(
            workspace =>
            {
                var room = workspace.Allocate<double>(100_000);
                room.Span.Fill(1.5);
                during = Names();
                Assert.Equal(150_000, Enumerable.Range(0, 100_000).Sum(row => room.Span[row]));
                workspace.Free<double>(room);
                return DatasetLoader.Load(new DataOptions { Workspace = workspace });
            },
            isTable: false,
            Place("pack")
        );

        if (!OperatingSystem.IsWindows())
            Assert.Equal(["packing.lock"], during);
        Assert.DoesNotContain(Names(), name => name.StartsWith("packing", StringComparison.Ordinal));

        string[] Names() => [.. Directory.EnumerateFiles(Place("pack")).Select(file => Path.GetFileName(file))];
    }

    /// <summary>A process may be killed before a file has lost its name.</summary>
    [Fact]
    public void A_name_that_a_killed_attempt_has_left_is_deleted_by_the_next()
    {
        Directory.CreateDirectory(Place("pack"));
        File.WriteAllText(Path.Combine(Place("pack"), PackFiles.ScratchName(0)), "columns");
        Pack(Options("classes.csv"), "pack");
        Assert.False(File.Exists(Path.Combine(Place("pack"), PackFiles.ScratchName(0))));
    }

    [Fact]
    public void A_file_of_somebody_else_is_no_scratch()
    {
        Directory.CreateDirectory(Place("pack"));
        File.WriteAllText(Path.Combine(Place("pack"), "my.scratch"), "mine");
        Assert.Contains(
            "exists already",
            Assert.Throws<InputException>(() => Pack(new DataOptions(), "pack")).Message,
            StringComparison.Ordinal
        );
    }

    private void RequireSameBytes(DataOptions options)
    {
        var loaded = DatasetLoader.Load(options);
        DatasetPack.Write(_ => loaded, DatasetLoader.IsTable(options), Place("loaded"));

        var packed = Pack(options, "packed");

        Assert.Equal(loaded.Sha256, packed.Sha256);
        Assert.Equal(loaded.Sha256, DatasetHash.Compute(packed));
        RequireSameFiles("loaded", "packed");
        Directory.Delete(Place("loaded"), recursive: true);
        Directory.Delete(Place("packed"), recursive: true);
    }

    private void RequireSameFiles(string left, string right, string but = "")
    {
        Assert.Equal(Files(left), Files(right));
        foreach (var name in Files(left).Where(name => name != but))
            Assert.Equal(File.ReadAllBytes(Path.Combine(Place(left), name)), File.ReadAllBytes(Path.Combine(Place(right), name)));

        string[] Files(string folder) =>
            [.. Directory.EnumerateFiles(Place(folder)).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
    }

    private Dataset Pack(DataOptions options, string folder) =>
        DatasetPack.Write(
            workspace => DatasetLoader.Load(options with { Workspace = workspace }),
            DatasetLoader.IsTable(options),
            Place(folder),
            BlockBytes
        );

    private string Place(string name) => Path.Combine(_folder.Path, name);

    private DataOptions Options(string data) =>
        data switch
        {
            "digits" => new DataOptions(),
            "parts" => new DataOptions { Data = Parts() },
            "targets.csv" => new DataOptions { Data = _folder.Write(data, Text("targets.csv")), LabelColumn = "y,n" },
            "integers.csv" => new DataOptions { Data = _folder.Write(data, Text(data)), Task = LearningTask.Classification },
            "table.parquet" => new DataOptions { Data = Parquet(data) },
            "table.parquet.gz" => new DataOptions
            {
                Data = _folder.Write(data, DataFolder.Gzip(File.ReadAllBytes(Parquet("plain.parquet")))),
            },
            "images" => new DataOptions { Data = Images("images", withTest: true) },
            "split-images" => new DataOptions { Data = Path.Combine(Images("split-images", withTest: false), "train-images-idx3-ubyte") },
            "compressed-images" => new DataOptions { Data = Compressed(Images("compressed-images", withTest: true)) },
            "cifar" => new DataOptions { Data = Cifar("cifar", ["data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"], labelBytes: 1) },
            "coarse-and-fine" => new DataOptions { Data = Cifar("coarse-and-fine", ["train.bin"], labelBytes: 2) },
            _ when data.EndsWith(".gz", StringComparison.Ordinal) => new DataOptions
            {
                Data = _folder.Write(data, DataFolder.Gzip(System.Text.Encoding.UTF8.GetBytes(Text(data)))),
            },
            _ => new DataOptions { Data = _folder.Write(data, Text(data)) },
        };

    private static string Text(string name) =>
        "n,color,gap,size,y\n" + string.Concat(Enumerable.Range(0, Rows).Select(row => Row(name, row)));

    private static string Row(string name, int row)
    {
        var color =
            row % 10 == 3 ? ""
            : row % 3 == 0 ? "red"
            : $"color {row % 701}";
        var target = name.StartsWith("classes", StringComparison.Ordinal) ? (row % 3 == 0 ? "a" : "b") : $"{row * 37L % 1013}";
        var fraction = name is "numbers.csv" or "targets.csv" ? ".5" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{row % 7 / 8.0},{color},{(row % 4 == 1 ? "?" : $"{row}")},{row % 5},{target}{fraction}\n"
        );
    }

    // Headers are repeated; parts have different lengths and one is compressed.
    private string Parts()
    {
        var folder = Directory.CreateDirectory(Place("parts")).FullName;
        var (header, rows) = ("n,color,gap,size,y\n", Enumerable.Range(0, Rows).Select(row => Row("classes", row)).ToArray());
        File.WriteAllText(Path.Combine(folder, "part-0.csv"), header + string.Concat(rows[..17]));
        File.WriteAllText(Path.Combine(folder, "part-1.csv"), header + string.Concat(rows[17..2000]));
        File.WriteAllBytes(
            Path.Combine(folder, "part-2.csv.gz"),
            DataFolder.Gzip(System.Text.Encoding.UTF8.GetBytes(header + string.Concat(rows[2000..])))
        );
        return folder;
    }

    private string Parquet(string name)
    {
        var path = Place(name);
        ParquetFiles.Write(
            path,
            Rows,
            groupRows: 700,
            Compression.Snappy,
            hasDictionary: true,
            ParquetFiles.Of("n", Enumerable.Range(0, Rows).Select(row => row % 9 == 0 ? (double?)null : row / 3.0).ToArray()),
            ParquetFiles.Of("word", Enumerable.Range(0, Rows).Select(row => $"word {row % 40}").ToArray()),
            ParquetFiles.Of("y", Enumerable.Range(0, Rows).Select(row => row % 3).ToArray())
        );
        return path;
    }

    private string Images(string name, bool withTest)
    {
        var folder = Directory.CreateDirectory(Place(name)).FullName;
        Write("train", 523);
        if (withTest)
            Write("t10k", 31);
        return folder;

        void Write(string part, int images)
        {
            byte[] values = [.. Enumerable.Range(0, images * 12).Select(place => (byte)(place * 7 / 3))],
                labels = [.. Enumerable.Range(0, images).Select(image => (byte)(image % 10))];
            File.WriteAllBytes(Path.Combine(folder, $"{part}-images-idx3-ubyte"), DataFolder.Idx([(uint)images, 3, 4], values));
            File.WriteAllBytes(Path.Combine(folder, $"{part}-labels-idx1-ubyte"), DataFolder.Idx([(uint)images], labels));
        }
    }

    private static string Compressed(string folder)
    {
        foreach (var file in Directory.GetFiles(folder, "*ubyte"))
        {
            File.WriteAllBytes(file + ".gz", DataFolder.Gzip(File.ReadAllBytes(file)));
            File.Delete(file);
        }

        return folder;
    }

    private string Cifar(string name, string[] files, int labelBytes)
    {
        var folder = Directory.CreateDirectory(Place(name)).FullName;
        var record = labelBytes + 3072;
        foreach (var (number, file) in files.Index())
        {
            var content = new byte[record * (11 + number)];
            for (var place = 0; place < content.Length; place++)
                content[place] = (byte)(place % record < labelBytes ? place / record % 10 : (place * 13 / 5) + number);
            File.WriteAllBytes(Path.Combine(folder, file), content);
        }

        return folder;
    }
}
