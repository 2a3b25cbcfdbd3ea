using Distributed.Data;
using Distributed.Data.Packs;
using Xunit;

namespace Distributed.Shared.Tests.Data.Packs;

public sealed class DatasetPackTests : IDisposable
{
    private const int Rows = 3000;

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("digits", false)]
    [InlineData("classes", true)]
    [InlineData("numbers", true)]
    [InlineData("plain", true)]
    public void A_pack_is_the_dataset_that_it_was_made_of(string source, bool isTable)
    {
        var dataset = Load(source);

        var packed = Pack(source);

        Assert.Equal(dataset.Sha256, packed.Sha256);
        Assert.Equal(dataset.Sha256, DatasetHash.Compute(packed)); // and not only because it says so
        Assert.Equal(dataset.Name, packed.Name);
        Assert.Equal(dataset.Shape, packed.Shape);
        Assert.Equal(dataset.ClassNames, packed.ClassNames);
        Assert.Equal(dataset.Targets?.Names, packed.Targets?.Names);
        Assert.Equal(dataset.Columns?.Features, packed.Columns?.Features);
        Assert.Equal(dataset.Preprocessing.ToJson(), packed.Preprocessing.ToJson());
        Assert.Equal(DataFolder.Decode(dataset.Train), DataFolder.Decode(packed.Train));
        Assert.Equal(DataFolder.Decode(dataset.Test), DataFolder.Decode(packed.Test));
        Assert.Equal(isTable, DatasetLoader.IsTable(new DataOptions { Data = packed.Location }));
    }

    [Fact]
    public void Weights_of_samples_are_packed_with_them()
    {
        float[][] features = [.. Enumerable.Range(0, 20).Select(row => new float[] { row, row % 3 })];
        var options = new ArrayOptions { Weights = [.. Enumerable.Range(0, 20).Select(row => row / 4f)] };
        var dataset = Dataset.FromArrays(features, [.. Enumerable.Range(0, 20).Select(row => row % 2)], options);

        var packed = DatasetPack.Write(_ => dataset, isTable: false, Place("pack"));

        Assert.Equal(dataset.Sha256, packed.Sha256);
        Assert.True(packed.HasWeights);
        Assert.Equal(dataset.Train.Targets, packed.Train.Targets);
    }

    [Fact]
    public void What_is_held_out_is_packed_with_the_rest()
    {
        var options = Options("numbers") with { Holdout = "0.1" };
        var dataset = DatasetLoader.Load(options);

        var packed = DatasetPack.Write(
            workspace => DatasetLoader.Load(options with { Workspace = workspace }),
            isTable: true,
            Place("pack")
        );

        Assert.Equal(dataset.Sha256, packed.Sha256);
        Assert.Equal(dataset.Sha256, DatasetHash.Compute(packed));
        Assert.Equal(DataFolder.Decode(dataset.Holdout!), DataFolder.Decode(packed.Holdout!));
        Assert.Contains(
            "--holdout 0.2 was decided when it was packed; leave it out, or pack the data again with it",
            _folder.Refusal(new DataOptions { Data = packed.Location, Holdout = "0.2" }),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Samples_that_are_read_ahead_are_the_same()
    {
        var packed = Pack("numbers");
        int[] rows = [.. Enumerable.Range(0, packed.Train.Count).Reverse()];

        packed.Train.ReadAhead(rows);
        var values = new float[rows.Length * packed.Shape.Length];
        packed.Train.Decode(rows, values);

        Assert.Equal(DataFolder.Decode(Load("numbers").Train).Chunk(packed.Shape.Length).Reverse().SelectMany(row => row), values);
    }

    /// <summary>One bit in each page, wherever it is: the page is named as soon as a sample of it is used, and no other.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(-1)]
    public void A_spoilt_page_is_named_when_it_is_used(int place)
    {
        var location = Pack("numbers").Location;
        var file = Path.Combine(location, "train.features");
        var offset = Spoil(file, place);

        var spoilt = DatasetPack.Open(location);
        var sample = (int)(offset / spoilt.Train.BytesPerSample);
        var other = sample < spoilt.Train.Count / 2 ? spoilt.Train.Count - 200 : 200;
        var values = new float[spoilt.Shape.Length];

        spoilt.Train.Decode([other], values);
        var message = Assert.Throws<IOException>(() => spoilt.Train.Decode([sample], new float[values.Length])).Message;
        Assert.Contains($"{file}: offset {offset / 4096 * 4096}: ", message, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => spoilt.Train.CopyRaw(sample, new byte[spoilt.Train.BytesPerSample]));
    }

    [Theory]
    [InlineData("train.targets")]
    [InlineData("test.targets")]
    [InlineData("train.pages")]
    [InlineData("test.pages")]
    public void Spoilt_targets_and_hashes_are_refused_by_name(string name)
    {
        var location = Pack("numbers").Location;
        Spoil(Path.Combine(location, name), 3);
        Assert.Equal($"pack/{name}: is not what was packed; pack the data again, or copy it once more", _folder.Refusal(location));
    }

    [Theory]
    [InlineData("train.features", 1)]
    [InlineData("train.features", 5000)]
    [InlineData("test.features", 4096)]
    [InlineData("train.targets", 4)]
    [InlineData("test.pages", 8)]
    public void A_torn_file_is_refused_by_name(string name, int missing)
    {
        var location = Pack("numbers").Location;
        long length;
        using (var file = new FileStream(Path.Combine(location, name), FileMode.Open))
        {
            length = file.Length;
            file.SetLength(length - missing);
        }

        Assert.Equal($"pack/{name}: has {length - missing} bytes instead of {length}; pack the data again", _folder.Refusal(location));
    }

    [Theory]
    [InlineData("train.features")]
    [InlineData("test.targets")]
    [InlineData("train.pages")]
    public void A_missing_file_is_refused_by_name(string name)
    {
        var location = Pack("numbers").Location;
        File.Delete(Path.Combine(location, name));
        Assert.StartsWith($"pack/{name}: cannot be read (", _folder.Refusal(location), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("")]
    [InlineData("\"shape\": [\n    0,")]
    [InlineData("\"shape\": [\n    2000000000,\n    2000000000,")]
    public void A_damaged_description_is_refused_by_name(string content)
    {
        var location = Pack("numbers").Location;
        var file = Path.Combine(location, PackManifest.FileName);
        var isPart = content.StartsWith('"');
        File.WriteAllText(
            file,
            isPart ? File.ReadAllText(file).Replace("\"shape\": [\n    1,\n    1,", content, StringComparison.Ordinal) : content
        );
        Assert.StartsWith("pack/pack.json: is damaged (", _folder.Refusal(location), StringComparison.Ordinal);
    }

    [Fact]
    public void A_later_form_is_refused_with_both()
    {
        var location = Pack("numbers").Location;
        var file = Path.Combine(location, PackManifest.FileName);
        File.WriteAllText(file, File.ReadAllText(file).Replace("distributed-pack-1", "distributed-pack-2", StringComparison.Ordinal));
        Assert.Equal(
            "pack/pack.json: it is of the form 'distributed-pack-2', this version reads distributed-pack-1; pack the data again",
            _folder.Refusal(location)
        );
    }

    [Fact]
    public void What_an_interrupted_attempt_has_left_is_replaced()
    {
        Directory.CreateDirectory(Place("pack"));
        File.WriteAllText(Path.Combine(Place("pack"), "train.features"), "half of it");
        File.WriteAllText(Path.Combine(Place("pack"), "holdout.pages"), "of other data");

        Assert.Equal(Load("digits").Sha256, Pack("digits").Sha256);
        Assert.Equal(
            "pack.json test.features test.pages test.targets train.features train.pages train.targets",
            string.Join(' ', Directory.EnumerateFiles(Place("pack")).Select(Path.GetFileName).Order(StringComparer.Ordinal))
        );
    }

    [Fact]
    public void What_is_not_finished_is_no_pack()
    {
        File.Delete(Path.Combine(Pack("digits").Location, PackManifest.FileName));
        Assert.Equal("pack: there is no pack.json: it was not packed to the end; pack the data again", _folder.Refusal(Place("pack")));
    }

    [Fact]
    public void Two_do_not_pack_into_one_folder()
    {
        var message = "";
        DatasetPack.Write(
            _ =>
            {
                message = Assert.Throws<InputException>(() => Pack("digits")).Message;
                return Load("digits");
            },
            isTable: false,
            Place("pack")
        );
        Assert.Contains("pack: cannot be written (", message, StringComparison.Ordinal);
        Assert.Equal(Load("digits").Sha256, DatasetPack.Open(Place("pack")).Sha256);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/../pack/.")]
    public void An_empty_folder_is_taken_however_it_is_named(string suffix)
    {
        Directory.CreateDirectory(Place("pack"));
        Assert.Equal(Load("digits").Sha256, DatasetPack.Write(_ => Load("digits"), isTable: false, Place("pack") + suffix).Sha256);
    }

    [Fact]
    public void A_changed_description_is_refused()
    {
        var location = Pack("digits").Location;
        var file = Path.Combine(location, PackManifest.FileName);
        File.WriteAllText(file, File.ReadAllText(file).Replace("byteDivisor\\u0022:16", "byteDivisor\\u0022:15", StringComparison.Ordinal));
        Assert.Equal("pack/pack.json: is damaged (its checksum is another); pack the data again", _folder.Refusal(location));
    }

    [Fact]
    public void A_folder_with_files_is_left_alone()
    {
        Directory.CreateDirectory(Place("pack"));
        File.WriteAllText(Path.Combine(Place("pack"), "mine"), "");

        var message = Assert.Throws<InputException>(() => Pack("digits")).Message;

        Assert.EndsWith("pack: exists already; name another folder, or delete it", message, StringComparison.Ordinal);
        Assert.Equal(["mine"], Directory.EnumerateFileSystemEntries(Place("pack")).Select(Path.GetFileName));
    }

    [Fact]
    public void Bad_data_leaves_nothing_behind()
    {
        Assert.Throws<InputException>(() =>
            DatasetPack.Write(_ => throw new InputException("bad.csv: line 3: .."), isTable: true, Place("pack"))
        );
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void A_pack_keeps_its_own_test_set()
    {
        var location = Pack("digits").Location;
        var message = _folder.Refusal(new DataOptions { Data = location, Test = location });
        Assert.Contains("was decided when it was packed; leave it out", message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_said_of_columns_is_refused_by_name()
    {
        var options = new DataOptions { Data = Pack("numbers").Location };
        const string remedy = "was decided when it was packed; leave it out, or pack the data again with it";
        Assert.Equal($"pack: --label-column n {remedy}", _folder.Refusal(options with { LabelColumn = "n" }));
        Assert.Equal($"pack: --weight-column {remedy}", _folder.Refusal(options with { WeightColumn = "n" }));
        Assert.Equal($"pack: --standardize off {remedy}", _folder.Refusal(options with { Standardize = false }));
    }

    private string Place(string name) => Path.Combine(_folder.Path, name);

    private Dataset Load(string source) => DatasetLoader.Load(Options(source));

    private Dataset Pack(string source) =>
        DatasetPack.Write(
            workspace => DatasetLoader.Load(Options(source) with { Workspace = workspace }),
            DatasetLoader.IsTable(Options(source)),
            Place("pack")
        );

    private DataOptions Options(string source)
    {
        if (source == "digits")
            return new DataOptions();
        var rows = Enumerable
            .Range(0, Rows)
            .Select(row =>
                source == "plain"
                    ? $"{row % 7},{row % 11}.5,{row % 2}"
                    : $"{row % 7},{(row % 10 == 3 ? "" : row % 3 == 0 ? "red" : "blue")},{(source == "classes" ? (row % 3 == 0 ? "a" : "b") : $"{row}.5")}"
            );
        return new DataOptions { Data = _folder.Write($"{source}.csv", $"n,color,target\n{string.Join('\n', rows)}\n") };
    }

    // Returns the place, counted from the end if it is negative.
    private static long Spoil(string path, int place)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = place < 0 ? file.Length + place : place;
        var offset = file.Position;
        var value = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ 4));
        return offset;
    }
}
