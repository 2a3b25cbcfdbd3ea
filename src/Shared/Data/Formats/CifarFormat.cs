namespace Distributed.Data.Formats;

/// <summary>
/// The binary form of CIFAR-10 and CIFAR-100 (A. Krizhevsky, 2009): records of one label (CIFAR-10) or a coarse and a fine one
/// (CIFAR-100), then 3 x 32 x 32 bytes, channel by channel. The files of CIFAR-100 are <c>train.bin</c> and <c>test.bin</c>.
/// </summary>
internal sealed class CifarFormat : ImageFormat
{
    private static readonly SampleShape Shape = new(3, 32, 32);

    private static readonly string[] Cifar10Names =
    [
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ];

    private static readonly IReadOnlyList<string> Cifar100Names = ByteDataset.NumberedClasses(100);

    /// <inheritdoc />
    public override string Summary => "CIFAR binary files";

    /// <inheritdoc />
    public override IReadOnlyList<string> FolderNames => ["data_batch_1.bin", "train.bin"];

    /// <summary>Whether a file name is one of those of the binary distributions. The content has no mark to tell it by.</summary>
    public static bool IsName(string name) => TrimCompression(name).EndsWith(".bin", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc />
    public override bool Recognizes(DataFile file) => IsName(file.Name);

    /// <summary>The files of the training set in a folder: the batches of CIFAR-10 in order, or CIFAR-100's one file.</summary>
    public override IReadOnlyList<string> FindTrain(string folder)
    {
        string[] batches =
        [
            .. Directory.EnumerateFiles(folder, "data_batch_*").Where(path => IsName(Path.GetFileName(path))).Order(StringComparer.Ordinal),
        ];
        return batches.Length > 0 ? batches : Find(folder, "train.bin");
    }

    /// <summary>The file of the test set in a folder, if there is one.</summary>
    public override IReadOnlyList<string> FindTest(string folder) =>
        Find(folder, "test_batch.bin") is { Count: > 0 } found ? found : Find(folder, "test.bin");

    /// <summary>Reads files of one kind, one after the other.</summary>
    /// <exception cref="InputException">A file is bad.</exception>
    protected override ByteSamples Read(IReadOnlyList<string> paths)
    {
        var fine = TrimCompression(Path.GetFileName(paths[0])) is "train.bin" or "test.bin";
        var labelBytes = fine ? 2 : 1;
        var classNames = fine ? Cifar100Names : Cifar10Names;
        ReadOnlyMemory<byte>[] contents = [.. paths.Select(path => ReadRecords(path, labelBytes, classNames.Count))];
        var (labels, features) = Join(paths[0], contents, labelBytes);
        return new ByteSamples
        {
            Path = paths[0],
            LabelsPath = paths[0],
            Shape = Shape,
            Labels = labels,
            Features = features,
            ClassNames = classNames,
            FirstLabelOffset = labelBytes - 1,
            LabelStride = labelBytes + Shape.Length,
        };
    }

    /// <inheritdoc />
    protected override (SampleShape Shape, ReadOnlyMemory<byte> Features) ReadImages(IReadOnlyList<string> files)
    {
        var samples = Read(files);
        return (samples.Shape, samples.Features);
    }

    private static IReadOnlyList<string> Find(string folder, string name) =>
        [.. new[] { name, name + ".gz" }.Select(candidate => Path.Combine(folder, candidate)).Where(File.Exists).Take(1)];

    private static string TrimCompression(string name) => name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name;

    private static ReadOnlyMemory<byte> ReadRecords(string path, int labelBytes, int classes)
    {
        var content = FileContent.Read(path);
        var record = labelBytes + Shape.Length;
        var complete = content.Length / record * record;
        if (complete != content.Length)
        {
            throw FileErrors.AtOffset(path, complete, $"the last record is truncated: {content.Length - complete} of {record} bytes");
        }

        for (var offset = labelBytes - 1; offset < content.Length; offset += record)
        {
            var label = content.Span[offset];
            if (label < classes)
                continue;
            throw FileErrors.AtOffset(
                path,
                offset,
                $"the label of sample {offset / record} is {label}, but the classes are 0 to {classes - 1}"
            );
        }

        return content;
    }

    private static (int[] Labels, byte[] Features) Join(string path, ReadOnlyMemory<byte>[] contents, int labelBytes)
    {
        var record = labelBytes + Shape.Length;
        var samples = contents.Sum(content => (long)content.Length / record);
        if (samples * Shape.Length > Array.MaxLength)
            throw FileErrors.In(path, $"{samples} samples are more than {Array.MaxLength} bytes; use fewer files");
        var labels = new int[samples];
        var features = new byte[samples * Shape.Length];
        var sample = 0;
        foreach (var content in contents)
        {
            for (var offset = 0; offset < content.Length; offset += record, sample++)
            {
                labels[sample] = content.Span[offset + labelBytes - 1];
                content.Span.Slice(offset + labelBytes, Shape.Length).CopyTo(features.AsSpan(sample * Shape.Length));
            }
        }

        return (labels, features);
    }
}
