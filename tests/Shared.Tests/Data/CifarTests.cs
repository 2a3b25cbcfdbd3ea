using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class CifarTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_batches_of_cifar_10_follow_one_another_and_have_their_own_test_set()
    {
        _folder.Write("data_batch_2.bin", Records([9], [2]));
        _folder.Write("data_batch_1.bin", Records([6], [0], [1]));
        _folder.Write("test_batch.bin", Records([3]));

        var dataset = DatasetLoader.Load(new DataOptions { Data = _folder.Path });

        Assert.Equal(new SampleShape(3, 32, 32), dataset.Shape);
        Assert.Equal("frog", dataset.ClassNames[dataset.Train.Targets[0]]);
        Assert.Equal([6, 0, 1, 9, 2], dataset.Train.Targets.ToArray());
        Assert.Equal([3], dataset.Test.Targets.ToArray());
        var first = DataFolder.Decode(dataset.Train)[..3072];
        Assert.Equal(Enumerable.Range(0, 3072).Select(i => (byte)i / 255f), first);
    }

    [Fact]
    public void The_fine_labels_of_cifar_100_are_its_classes()
    {
        _folder.Write("train.bin", Records([11, 99], [3, 42]));
        _folder.Write("test.bin.gz", DataFolder.Gzip(Records([19, 7])));

        var dataset = DatasetLoader.Load(new DataOptions { Data = _folder.Path });

        Assert.Equal(100, dataset.ClassNames.Count);
        Assert.Equal([99, 42], dataset.Train.Targets.ToArray());
        Assert.Equal([7], dataset.Test.Targets.ToArray());
    }

    [Fact]
    public void One_batch_is_split()
    {
        var path = _folder.Write("data_batch_1.bin", Records([1], [2], [3], [4], [5]));

        var dataset = DatasetLoader.Load(new DataOptions { Data = path });

        Assert.Equal([5], dataset.Test.Targets.ToArray());
    }

    [Fact]
    public void A_truncated_record_is_refused() =>
        Assert.Equal(
            "data_batch_1.bin: offset 3073: the last record is truncated: 3072 of 3073 bytes",
            _folder.Refusal(_folder.Write("data_batch_1.bin", Records([1], [2])[..^1]))
        );

    [Fact]
    public void A_label_out_of_range_is_refused() =>
        Assert.Equal(
            "data_batch_1.bin: offset 3073: the label of sample 1 is 10, but the classes are 0 to 9",
            _folder.Refusal(_folder.Write("data_batch_1.bin", Records([1], [10])))
        );

    [Fact]
    public void A_fine_label_out_of_range_is_refused() =>
        Assert.Equal(
            "train.bin: offset 1: the label of sample 0 is 100, but the classes are 0 to 99",
            _folder.Refusal(_folder.Write("train.bin", Records([0, 100])))
        );

    [Fact]
    public void An_empty_file_is_refused() =>
        Assert.Equal("test.bin: the file is empty; a dataset needs samples", _folder.Refusal(_folder.Write("test.bin")));

    [Theory]
    [InlineData("data_batch_1.bin", "data_batch_1.bin.gz")]
    [InlineData("data_batch_1.bin", "data_batch_01.bin")]
    [InlineData("test_batch.bin", "test_batch.bin.gz")]
    public void A_part_that_is_there_twice_is_refused_by_name(string one, string other)
    {
        _folder.Write("data_batch_1.bin", Records([1]));
        _folder.Write(one, Records([1]));
        _folder.Write(other, Records([1]));

        var refusal = _folder.Refusal(_folder.Path);
        Assert.EndsWith(" are the same part of the data; move one away, or name a file", refusal, StringComparison.Ordinal);
        Assert.Contains(one, refusal, StringComparison.Ordinal);
        Assert.Contains(other, refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data_batch_1 (1).bin")]
    [InlineData("data_batch_1 copy.bin.gz")]
    [InlineData("data_batch_.bin")]
    public void A_copy_of_a_part_is_refused_by_name(string name)
    {
        _folder.Write("data_batch_1.bin", Records([1]));
        _folder.Write(name, Records([1]));

        Assert.Equal(
            $"{name}: is none of the parts data_batch_1.bin, data_batch_2.bin and so on; move it out of the folder",
            _folder.Refusal(_folder.Path)
        );
    }

    [Fact]
    public void A_folder_with_two_kinds_of_data_is_refused_by_name()
    {
        _folder.Write("data_batch_1.bin", Records([1]));
        _folder.Write("train.bin", Records([1, 1]));
        Assert.Contains("data_batch_1.bin and train.bin", _folder.Refusal(_folder.Path), StringComparison.Ordinal);

        File.Delete(Path.Combine(_folder.Path, "train.bin"));
        _folder.WritePair("train", 0, 1);
        Assert.Contains("train-images-idx3-ubyte and data_batch_1.bin", _folder.Refusal(_folder.Path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pictures.dat", 10)]
    [InlineData("train.bin", 10)]
    [InlineData("idx", 10)]
    [InlineData("pictures.csv", 100)]
    [InlineData("test_batch.bin", 100)]
    public void The_size_of_records_tells_the_kind_whatever_the_name(string name, int classes)
    {
        var records = classes == 10 ? Records([1], [2], [3], [4], [0]) : Records([11, 1], [2, 99], [3, 3], [4, 4], [5, 5]);

        var dataset = DatasetLoader.Load(new DataOptions { Data = _folder.Write(name, records) });

        Assert.Equal((classes, 5), (dataset.ClassNames.Count, dataset.Train.Count + dataset.Test.Count));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Text_is_csv_whatever_the_name(bool isCompressed)
    {
        var text = "1,a\n2,b\n3,a\n4,b\n5,a\n"u8.ToArray();

        var dataset = DatasetLoader.Load(new DataOptions { Data = _folder.Write("x.bin", isCompressed ? DataFolder.Gzip(text) : text) });

        Assert.Equal(["a", "b"], dataset.ClassNames);
    }

    [Fact]
    public void A_test_set_of_the_other_kind_is_refused()
    {
        var train = _folder.Write("data_batch_1.bin", Records([1], [2]));
        var test = _folder.Write("test.bin", Records([1, 1]));

        Assert.Equal(
            "test.bin: its classes are not those of data_batch_1.bin; --test needs the same kind of data",
            _folder.Refusal(new DataOptions { Data = train, Test = test })
        );
    }

    private static byte[] Records(params byte[][] labels) =>
        [.. labels.SelectMany(label => label.Concat(Enumerable.Range(0, 3072).Select(i => (byte)i)))];
}
