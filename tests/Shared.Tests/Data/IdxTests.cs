using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class IdxTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_with_a_test_pair_is_loaded_and_scaled_by_255()
    {
        _folder.WritePair("train", 0, 2, 1);
        _folder.WritePair("t10k", 1, 0);

        var dataset = DatasetLoader.Load(new DataOptions { Data = _folder.Path });

        Assert.Equal(new SampleShape(1, 1, 2), dataset.Shape);
        Assert.Equal(["0", "1", "2"], dataset.ClassNames);
        Assert.Equal([0, 2, 1], dataset.Train.Targets.ToArray());
        Assert.Equal([1, 0], dataset.Test.Targets.ToArray());
        Assert.Equal([0f, 1 / 255f, 1 / 255f, 2 / 255f, 2 / 255f, 3 / 255f], DataFolder.Decode(dataset.Train));
        Assert.Equal(Path.GetFileName(_folder.Path), dataset.Name);
    }

    [Fact]
    public void An_images_file_alone_gives_every_fifth_sample_to_the_test_set()
    {
        var path = _folder.WritePair("train", 0, 1, 0, 1, 2, 0, 1, 0, 1, 1, 2);
        _folder.WritePair("t10k", 0, 0);

        var dataset = DatasetLoader.Load(new DataOptions { Data = path });

        Assert.Equal([0, 1, 0, 1, 0, 1, 0, 1, 2], dataset.Train.Targets.ToArray());
        Assert.Equal([2, 1], dataset.Test.Targets.ToArray());
        Assert.Equal([4 / 255f, 5 / 255f, 9 / 255f, 10 / 255f], DataFolder.Decode(dataset.Test));
    }

    [Fact]
    public void A_named_test_set_replaces_the_folders_own()
    {
        _folder.WritePair("train", 0, 1);
        _folder.WritePair("t10k", 0, 0);
        using var other = new DataFolder();
        var path = other.WritePair("more", 1, 1, 1);

        var dataset = DatasetLoader.Load(new DataOptions { Data = _folder.Path, Test = path });

        Assert.Equal([1, 1, 1], dataset.Test.Targets.ToArray());
    }

    [Fact]
    public void A_relative_path_is_found_in_the_data_folder()
    {
        _folder.WritePair("train", 0, 1, 2, 0, 1);

        var dataset = DatasetLoader.Load(new DataOptions { Data = "train-images-idx3-ubyte", DataDir = _folder.Path });

        Assert.Equal(4, dataset.Train.Count);
    }

    [Fact]
    public void Compressed_files_give_the_same_dataset_as_plain_ones()
    {
        var images = _folder.WritePair("train", 0, 1, 0, 1, 2);
        var labels = images.Replace("images-idx3", "labels-idx1", StringComparison.Ordinal);
        using var compressed = new DataFolder();
        var compressedImages = compressed.Write("train-images-idx3-ubyte.gz", DataFolder.Gzip(File.ReadAllBytes(images)));
        compressed.Write("train-labels-idx1-ubyte.gz", DataFolder.Gzip(File.ReadAllBytes(labels)));

        var plain = DatasetLoader.Load(new DataOptions { Data = images });
        var fromGzip = DatasetLoader.Load(new DataOptions { Data = compressedImages });

        Assert.Equal(plain.Sha256, fromGzip.Sha256);
    }

    [Fact]
    public void Concatenated_gzip_members_are_one_file()
    {
        var images = _folder.WritePair("train", 0, 1, 0, 1, 2);
        var content = File.ReadAllBytes(images);
        var expected = DatasetLoader.Load(new DataOptions { Data = images }).Sha256;

        _folder.Write("train-images-idx3-ubyte", [.. DataFolder.Gzip(content[..7]), .. DataFolder.Gzip(content[7..])]);

        Assert.Equal(expected, DatasetLoader.Load(new DataOptions { Data = images }).Sha256);
    }

    [Theory]
    [InlineData(new uint[] { 5, 6 }, 1, 1, 6)]
    [InlineData(new uint[] { 5, 2, 3 }, 1, 2, 3)]
    [InlineData(new uint[] { 5, 3, 2, 1 }, 3, 2, 1)]
    public void Two_to_four_dimensions_are_samples_of_up_to_three(uint[] dimensions, int channels, int height, int width)
    {
        var path = _folder.Write("x-images", DataFolder.Idx(dimensions, new byte[30]));
        _folder.Write("x-labels", DataFolder.Idx([5], [0, 1, 0, 1, 0]));

        Assert.Equal(new SampleShape(channels, height, width), DatasetLoader.Load(new DataOptions { Data = path }).Shape);
    }

    [Fact]
    public void A_missing_path_is_refused() =>
        Assert.StartsWith(
            "there is no dataset 'nowhere/train-images': neither a name (digits, fashion-mnist) nor nowhere/train-images on this machine",
            _folder.Refusal("nowhere/train-images"),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_folder_without_known_files_is_refused() =>
        Assert.EndsWith(
            "the folder holds neither train-images-idx3-ubyte nor data_batch_1.bin nor train.bin nor a table",
            _folder.Refusal(_folder.Path),
            StringComparison.Ordinal
        );

    [Fact]
    public void An_empty_file_is_refused() =>
        Assert.Equal(
            "a-images-idx3-ubyte: the file is empty; a dataset needs samples",
            _folder.Refusal(_folder.Write("a-images-idx3-ubyte"))
        );

    [Fact]
    public void A_file_that_ends_in_its_header_is_refused() =>
        Assert.Equal(
            "a-images: offset 6: the file ends within its IDX header",
            _folder.Refusal(_folder.Write("a-images", 0, 0, 8, 3, 0, 0))
        );

    [Fact]
    public void A_wrong_magic_number_is_refused() =>
        Assert.Equal(
            "a-images-idx3-ubyte: offset 0: the magic number is 89504e47, but an IDX file of bytes starts with 000008",
            _folder.Refusal(_folder.Write("a-images-idx3-ubyte", 0x89, 0x50, 0x4e, 0x47, 0, 0))
        );

    [Fact]
    public void Values_other_than_bytes_are_refused() =>
        Assert.Equal(
            "a-images: offset 2: values of type 0x0d; only unsigned bytes (0x08) are supported",
            _folder.Refusal(_folder.Write("a-images", 0, 0, 0x0d, 3, 0, 0, 0, 1))
        );

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void Too_few_or_too_many_dimensions_are_refused(byte count) =>
        Assert.Equal(
            $"a-images: offset 3: {count} dimensions; 1 to 4 are supported",
            _folder.Refusal(_folder.Write("a-images", 0, 0, 8, count, 0, 0, 0, 1))
        );

    [Fact]
    public void A_dimension_of_zero_is_refused() =>
        Assert.Equal(
            "a-images: offset 4: a dimension is 0: the file holds no samples",
            _folder.Refusal(_folder.Write("a-images", DataFolder.Idx([0, 28, 28], [])))
        );

    [Fact]
    public void Truncated_images_are_refused() =>
        Assert.Equal(
            "a-images: offset 22: the file is truncated: its header promises 4 x 2 x 2 = 16 values, but 6 follow",
            _folder.Refusal(_folder.Write("a-images", DataFolder.Idx([4, 2, 2], new byte[6])))
        );

    [Fact]
    public void Bytes_behind_the_images_are_refused() =>
        Assert.Equal(
            "a-images: offset 20: 3 bytes follow the 1 x 2 x 2 values that the header promises",
            _folder.Refusal(_folder.Write("a-images", DataFolder.Idx([1, 2, 2], new byte[7])))
        );

    [Theory]
    [InlineData(0x7fffffffu, 0x7fffffffu, "promises 2147483647 x 2147483647 x 2147483647 x 2147483647")]
    [InlineData(0x00010000u, 0x00010000u, "promises 65536 x 65536 x 65536 x 65536 = 18446744073709551616 values, but 16 follow")]
    [InlineData(0x00010000u, 0xffffffffu, "a dimension is 4294967295, more than any file can hold")]
    public void Sizes_that_overflow_are_refused_without_an_allocation(uint outer, uint inner, string reason)
    {
        var path = _folder.Write("a-images", DataFolder.Idx([outer, outer, inner, inner], new byte[16]));

        Assert.Contains(reason, _folder.Refusal(path), StringComparison.Ordinal);
    }

    [Fact]
    public void A_labels_file_in_the_place_of_images_is_refused()
    {
        _folder.WritePair("train", 0, 1);
        var path = Path.Combine(_folder.Path, "train-labels-idx1-ubyte");

        Assert.Equal(
            "train-labels-idx1-ubyte: offset 3: one dimension: these are labels; name the file of the images",
            _folder.Refusal(path)
        );
    }

    [Fact]
    public void Missing_labels_are_refused()
    {
        var path = _folder.WritePair("train", 0, 1);
        File.Delete(Path.Combine(_folder.Path, "train-labels-idx1-ubyte"));

        Assert.Equal(
            "train-images-idx3-ubyte: its labels are missing: there is no train-labels-idx1-ubyte beside it",
            _folder.Refusal(path)
        );
    }

    [Fact]
    public void Images_without_a_name_that_leads_to_labels_are_refused() =>
        Assert.Equal(
            "pictures-idx3: an IDX file of images needs 'images' in its name, so that its labels can be found",
            _folder.Refusal(_folder.Write("pictures-idx3", DataFolder.Idx([1, 2, 2], new byte[4])))
        );

    [Fact]
    public void Counts_that_differ_are_refused()
    {
        var path = _folder.WritePair("train", 0, 1, 2);
        _folder.Write("train-labels-idx1-ubyte", DataFolder.Idx([2], [0, 1]));

        Assert.Equal("train-labels-idx1-ubyte: offset 4: 2 labels, but train-images-idx3-ubyte holds 3 images", _folder.Refusal(path));
    }

    [Fact]
    public void A_test_label_beyond_the_training_classes_is_refused()
    {
        _folder.WritePair("train", 0, 1, 2);
        _folder.WritePair("t10k", 0, 3);

        Assert.Equal(
            "t10k-labels-idx1-ubyte: offset 9: the label of sample 1 is 3, but the classes are 0 to 2",
            _folder.Refusal(_folder.Path)
        );
    }

    [Fact]
    public void A_test_set_of_another_shape_is_refused()
    {
        _folder.WritePair("train", 0, 1);
        _folder.WritePair("t10k", 0, 1);
        _folder.Write("t10k-images-idx3-ubyte", DataFolder.Idx([2, 3, 1], new byte[6]));

        Assert.Equal(
            "t10k-images-idx3-ubyte: the test samples are 1x3x1, but the training samples of train-images-idx3-ubyte are 1x1x2",
            _folder.Refusal(_folder.Path)
        );
    }

    [Fact]
    public void Too_few_samples_to_split_are_refused() =>
        Assert.Equal(
            "train-images-idx3-ubyte: 4 samples are too few to hold every fifth one back; name a test set with --test",
            _folder.Refusal(_folder.WritePair("train", 0, 1, 2, 0))
        );

    [Fact]
    public void Damaged_and_truncated_gzip_is_refused_wherever_it_breaks()
    {
        var path = _folder.WritePair("train", 0, 1, 2, 0, 1);
        var compressed = DataFolder.Gzip(File.ReadAllBytes(path));
        for (var length = 2; length < compressed.Length; length++)
        {
            _folder.Write("train-images-idx3-ubyte", compressed[..length]);
            Assert.Contains("the compressed data is damaged or truncated", _folder.Refusal(path), StringComparison.Ordinal);
        }

        compressed[^6] ^= 1;
        _folder.Write("train-images-idx3-ubyte", compressed);
        Assert.Contains("the compressed data is damaged or truncated", _folder.Refusal(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("train-images-idx3-ubyte.gz")]
    [InlineData("train-images.idx3-ubyte")]
    [InlineData("train-labels-idx1-ubyte.gz")]
    [InlineData("t10k-images-idx3-ubyte.gz")]
    [InlineData("t10k-labels-idx1-ubyte.gz")]
    public void A_part_that_is_there_twice_is_refused_by_name(string twin)
    {
        _folder.WritePair("train", 0, 1);
        _folder.WritePair("t10k", 0, 1);
        _folder.Write(twin, 1);

        var refusal = _folder.Refusal(_folder.Path);
        Assert.Contains(twin, refusal, StringComparison.Ordinal);
        Assert.EndsWith(" are the same part of the data; move one away, or name a file", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_named_file_takes_the_labels_of_its_own_form()
    {
        var path = _folder.WritePair("train", 0, 1, 0, 1, 2);
        _folder.Write("train-images-idx3-ubyte.gz", 1);
        _folder.Write("train-labels-idx1-ubyte.gz", 1);

        Assert.Equal(4, DatasetLoader.Load(new DataOptions { Data = path }).Train.Count);
    }

    [Theory]
    [InlineData("my-images.bin", "my-labels.bin")]
    [InlineData("my-images.csv", "my-labels.csv")]
    [InlineData("my-images", "my-labels")]
    public void Content_makes_an_idx_file_whatever_the_name(string images, string labels)
    {
        var path = _folder.Write(images, DataFolder.Idx([5, 1, 2], new byte[10]));
        _folder.Write(labels, DataFolder.Idx([5], [0, 1, 0, 1, 0]));

        Assert.Equal(new SampleShape(1, 1, 2), DatasetLoader.Load(new DataOptions { Data = path }).Shape);
    }

    [Theory]
    [InlineData("my_idx.csv")]
    [InlineData("train-images-idx3-ubyte")]
    public void Text_is_csv_whatever_the_name(string name) =>
        Assert.Equal(
            ["a", "b"],
            DatasetLoader.Load(new DataOptions { Data = _folder.Write(name, "1,a\n2,b\n3,a\n4,b\n5,a\n") }).ClassNames
        );

    [Fact]
    public void Options_of_csv_are_refused()
    {
        var path = _folder.WritePair("train", 0, 1, 2, 0, 1);

        Assert.StartsWith(
            "--label-column y does not go with",
            _folder.Refusal(new DataOptions { Data = path, LabelColumn = "y" }),
            StringComparison.Ordinal
        );
        Assert.StartsWith(
            "--header does not go with",
            _folder.Refusal(new DataOptions { Data = path, Header = true }),
            StringComparison.Ordinal
        );
    }
}
