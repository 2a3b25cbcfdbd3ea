using System.Globalization;

namespace Distributed.Data.Formats;

/// <summary>
/// The binary form of CIFAR-10 and CIFAR-100 (A. Krizhevsky, 2009): records of one label (CIFAR-10) or a coarse and a fine one
/// (CIFAR-100), then 3 x 32 x 32 bytes, channel by channel. The files of CIFAR-100 are <c>train.bin</c> and <c>test.bin</c>.
/// </summary>
internal sealed class CifarFormat : ImageFormat
{
    private const string FineTrainName = "train.bin";
    private const string FineTestName = "test.bin";
    private const int CoarseLabelBytes = 1;
    private const int FineLabelBytes = 2;
    private const int CoarseClasses = 20;

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
    public override IReadOnlyList<string> FolderNames => ["data_batch_1.bin", FineTrainName];

    /// <summary>
    /// By its size and first label, whatever its name: there is no other mark. By the name of the binary distributions where the size is
    /// wrong, so that a damaged file is refused as what it is.
    /// </summary>
    public override bool Recognizes(DataFile file) => !file.IsText && (IsName(file.Name) || Fits(file));

    /// <summary>Whether a file name is one of those of the binary distributions.</summary>
    public static bool IsName(string name) => FolderParts.TrimCompression(name).EndsWith(".bin", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a file holds whole records, of which the first has a label that there is.</summary>
    public static bool Fits(DataFile file) =>
        file.Start is [var label, ..]
        && (
            (label < Cifar10Names.Length && file.Length % (CoarseLabelBytes + Shape.Length) == 0)
            || (label < CoarseClasses && file.Length % (FineLabelBytes + Shape.Length) == 0)
        );

    /// <summary>The files of the training set in a folder: the batches of CIFAR-10 in order, or CIFAR-100's one file.</summary>
    public override IReadOnlyList<string> FindTrain(string folder)
    {
        var batches = FindBatches(folder);
        var fine = FolderParts.Find(folder, FineTrainName);
        return batches.Length == 0 ? fine
            : fine.Count == 0 ? batches
            : throw FolderParts.Doubles(folder, [batches[0], fine[0]]);
    }

    /// <summary>The file of the test set in a folder, if there is one of the training set's kind.</summary>
    public override IReadOnlyList<string> FindTest(string folder)
    {
        var test = FolderParts.Find(folder, "test_batch.bin");
        return test.Count > 0 || FindBatches(folder).Length > 0 ? test : FolderParts.Find(folder, FineTestName);
    }

    /// <summary>Reads files of one kind, one after the other.</summary>
    /// <exception cref="InputException">A file is bad.</exception>
    protected override ByteSamples Read(IReadOnlyList<string> paths, Workspace workspace)
    {
        ByteContent[] contents = [.. paths.Select(workspace.Read)];
        var labelBytes = HasFineLabels(paths[0], contents) ? FineLabelBytes : CoarseLabelBytes;
        var classNames = labelBytes == FineLabelBytes ? Cifar100Names : Cifar10Names;
        for (var index = 0; index < contents.Length; index++)
            RequireRecords(paths[index], contents[index], labelBytes, classNames.Count);
        return new ByteSamples
        {
            Path = paths[0],
            LabelsPath = paths[0],
            Shape = Shape,
            Samples = new RecordSamples(
                Labels(paths[0], contents, labelBytes, workspace),
                contents,
                labelBytes,
                labelBytes + Shape.Length,
                Shape.Length
            ),
            ClassNames = classNames,
            FirstLabelOffset = labelBytes - 1,
            LabelStride = labelBytes + Shape.Length,
        };
    }

    /// <inheritdoc />
    protected override (SampleShape Shape, RecordSamples Samples) ReadImages(IReadOnlyList<string> files, Workspace workspace)
    {
        var samples = Read(files, workspace);
        return (samples.Shape, samples.Samples);
    }

    /// <summary>By the sizes, which only whole records of one kind have; by the name where they tell nothing.</summary>
    private static bool HasFineLabels(string path, ByteContent[] contents)
    {
        bool coarse = contents.All(content => content.Length % (CoarseLabelBytes + Shape.Length) == 0),
            fine = contents.All(content => content.Length % (FineLabelBytes + Shape.Length) == 0);
        return coarse == fine ? FolderParts.TrimCompression(Path.GetFileName(path)) is FineTrainName or FineTestName : fine;
    }

    private static string[] FindBatches(string folder)
    {
        string[] batches =
        [
            .. Directory.EnumerateFiles(folder, "data_batch_*").Where(path => IsName(Path.GetFileName(path))).Order(StringComparer.Ordinal),
        ];
        var fileOfNumber = new Dictionary<int, string>();
        foreach (var path in batches)
        {
            if (!fileOfNumber.TryAdd(BatchNumber(path), path))
                throw FolderParts.Doubles(folder, [fileOfNumber[BatchNumber(path)], path]);
        }

        return batches;
    }

    private static int BatchNumber(string path)
    {
        var name = FolderParts.TrimCompression(Path.GetFileName(path));
        return int.TryParse(name["data_batch_".Length..^".bin".Length], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw FileErrors.In(path, "is none of the parts data_batch_1.bin, data_batch_2.bin and so on; move it out of the folder");
    }

    private static void RequireRecords(string path, ByteContent content, int labelBytes, int classes)
    {
        var record = labelBytes + Shape.Length;
        var complete = content.Length / record * record;
        if (complete != content.Length)
        {
            throw FileErrors.AtOffset(path, complete, $"the last record is truncated: {content.Length - complete} of {record} bytes");
        }

        for (long offset = labelBytes - 1; offset < content.Length; offset += record)
        {
            var label = content.Span(offset, 1)[0];
            if (label < classes)
                continue;
            throw FileErrors.AtOffset(
                path,
                offset,
                $"the label of sample {offset / record} is {label}, but the classes are 0 to {classes - 1}"
            );
        }
    }

    private static Memory<int> Labels(string path, ByteContent[] contents, int labelBytes, Workspace workspace)
    {
        var record = labelBytes + Shape.Length;
        var samples = contents.Sum(content => content.Length / record);
        if (samples > Array.MaxLength)
            throw FileErrors.In(path, $"{samples} samples are more than {Array.MaxLength}; use fewer files");
        var labels = workspace.Allocate<int>((int)samples);
        var sample = 0;
        foreach (var content in contents)
        {
            for (long offset = labelBytes - 1; offset < content.Length; offset += record)
                labels.Span[sample++] = content.Span(offset, 1)[0];
        }

        return labels;
    }
}
