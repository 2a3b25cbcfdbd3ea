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

    private static byte[] Records(params byte[][] labels) =>
        [.. labels.SelectMany(label => label.Concat(Enumerable.Range(0, 3072).Select(i => (byte)i)))];
}
