namespace Distributed.Data.Formats.Idx;

/// <summary>Images and their labels in two IDX files, as MNIST and its successors are published.</summary>
internal sealed class IdxFormat : ImageFormat
{
    private static readonly string[] Suffixes =
    [
        "-images-idx3-ubyte",
        "-images.idx3-ubyte",
        "-images-idx4-ubyte",
        "-images-idx2-ubyte",
        "-images",
    ];

    /// <inheritdoc />
    public override string Summary => "an IDX pair";

    /// <inheritdoc />
    public override IReadOnlyList<string> FolderNames => ["train-images-idx3-ubyte"];

    /// <summary>
    /// By its first four bytes, whatever its name. A damaged file is told by the two zeros that it begins with or by its name, so that it
    /// is refused as what it is. A CIFAR file, which has no mark of its own, may begin with the same zeros.
    /// </summary>
    public override bool Recognizes(DataFile file)
    {
        if (file.IsText)
            return false;
        if (IdxFile.HasMark(file.Start))
        {
            return !CifarFormat.IsName(file.Name) || !CifarFormat.Fits(file) || IdxFile.PromisedLength(file.Start) == (UInt128)file.Length;
        }

        var mayBeDamaged = file.Name.Contains("idx", StringComparison.OrdinalIgnoreCase) || file.Start is [0, 0, ..];
        return mayBeDamaged && !CifarFormat.IsName(file.Name) && !CifarFormat.Fits(file);
    }

    /// <inheritdoc />
    public override IReadOnlyList<string> FindTrain(string folder) => FindImages(folder, "train");

    /// <inheritdoc />
    public override IReadOnlyList<string> FindTest(string folder) => FindImages(folder, "t10k");

    /// <summary>Reads the images file and the labels file beside it.</summary>
    /// <exception cref="InputException">A file is missing or bad, or the two do not go together.</exception>
    protected override ByteSamples Read(IReadOnlyList<string> files, Workspace workspace)
    {
        var images = ReadImages(files[0], workspace);
        return Combine(images, IdxFile.Read(LabelsPath(files[0]), workspace), workspace);
    }

    /// <inheritdoc />
    protected override (SampleShape Shape, RecordSamples Samples) ReadImages(IReadOnlyList<string> files, Workspace workspace)
    {
        var images = ReadImages(files[0], workspace);
        return (Shape(images), Samples(images, new int[images.Dimensions[0]]));
    }

    /// <summary>Puts images and labels together.</summary>
    /// <exception cref="InputException">The two do not go together.</exception>
    public static ByteSamples Combine(IdxFile images, IdxFile labels, Workspace workspace)
    {
        var shape = Shape(images);
        RequireOneLabelPerImage(images, labels);
        var classes = workspace.Allocate<int>(labels.Dimensions[0]);
        for (var sample = 0; sample < classes.Length; sample++)
            classes.Span[sample] = labels.Content.Span(labels.HeaderLength + sample, 1)[0];
        return new ByteSamples
        {
            Path = images.Path,
            LabelsPath = labels.Path,
            Shape = shape,
            Samples = Samples(images, classes),
            FirstLabelOffset = labels.HeaderLength,
            LabelStride = 1,
        };
    }

    /// <summary>The images file of a part of a dataset, compressed or not.</summary>
    private static IReadOnlyList<string> FindImages(string folder, string part) =>
        FolderParts.Find(folder, Suffixes.Select(suffix => part + suffix));

    private static RecordSamples Samples(IdxFile images, ReadOnlyMemory<int> labels)
    {
        var bytes = Shape(images).Length;
        return new RecordSamples(labels, [images.Content], images.HeaderLength, bytes, bytes);
    }

    private static IdxFile ReadImages(string path, Workspace workspace)
    {
        var images = IdxFile.Read(path, workspace);
        return images.Dimensions.Length > 1
            ? images
            : throw FileErrors.AtOffset(path, 3, "one dimension: these are labels; name the file of the images");
    }

    private static SampleShape Shape(IdxFile images) =>
        images.Dimensions switch
        {
            [_, int width] => new SampleShape(1, 1, width),
            [_, int height, int width] => new SampleShape(1, height, width),
            [_, int channels, int height, int width] => new SampleShape(channels, height, width),
            _ => throw FileErrors.AtOffset(images.Path, 3, $"{images.Dimensions.Length} dimension, but images have 2 to 4"),
        };

    private static void RequireOneLabelPerImage(IdxFile images, IdxFile labels)
    {
        if (labels.Dimensions.Length != 1)
            throw FileErrors.AtOffset(labels.Path, 3, $"{labels.Dimensions.Length} dimensions, but labels have 1");
        if (labels.Dimensions[0] == images.Dimensions[0])
            return;
        throw FileErrors.AtOffset(labels.Path, 4, $"{labels.Dimensions[0]} labels, but {images.Path} holds {images.Dimensions[0]} images");
    }

    private static string LabelsPath(string imagesPath)
    {
        var name = Path.GetFileName(imagesPath);
        if (!name.Contains("images", StringComparison.Ordinal))
        {
            throw FileErrors.In(imagesPath, "an IDX file of images needs 'images' in its name, so that its labels can be found");
        }

        var labels = name.Replace("images", "labels", StringComparison.Ordinal);
        foreach (var dimensions in new[] { "idx2", "idx3", "idx4" })
            labels = labels.Replace(dimensions, "idx1", StringComparison.Ordinal);
        var folder = Path.GetDirectoryName(imagesPath) ?? "";
        var beside = Path.Combine(folder, labels);
        var hasTwin = File.Exists(Twin(imagesPath));
        if (hasTwin && File.Exists(beside))
            return beside;
        return FolderParts.Find(folder, FolderParts.TrimCompression(labels)) is [var found]
            ? found
            : throw FileErrors.In(imagesPath, $"its labels are missing: there is no {labels} beside it");
    }

    /// <summary>The same file in the other form, compressed or not.</summary>
    private static string Twin(string path) => FolderParts.TrimCompression(path) is var plain && plain != path ? plain : path + ".gz";
}
