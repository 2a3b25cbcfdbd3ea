namespace Distributed.Data;

/// <summary>Images and their labels in two IDX files, as MNIST and its successors are published.</summary>
internal static class IdxPair
{
    private static readonly string[] Suffixes =
    [
        "-images-idx3-ubyte",
        "-images.idx3-ubyte",
        "-images-idx4-ubyte",
        "-images-idx2-ubyte",
        "-images",
    ];

    /// <summary>Reads the images file and the labels file beside it.</summary>
    /// <exception cref="InputException">A file is missing or bad, or the two do not go together.</exception>
    public static ByteSamples Read(string imagesPath)
    {
        var images = IdxFile.Read(imagesPath);
        return images.Dimensions.Length > 1
            ? Combine(images, IdxFile.Read(LabelsPath(imagesPath)))
            : throw FileErrors.AtOffset(imagesPath, 3, "one dimension: these are labels; name the file of the images");
    }

    /// <summary>Puts images and labels together.</summary>
    /// <exception cref="InputException">The two do not go together.</exception>
    public static ByteSamples Combine(IdxFile images, IdxFile labels)
    {
        var shape = Shape(images);
        RequireOneLabelPerImage(images, labels);
        return new ByteSamples
        {
            Path = images.Path,
            LabelsPath = labels.Path,
            Shape = shape,
            Labels = Array.ConvertAll(labels.Values.ToArray(), label => (int)label),
            Features = images.Values,
            FirstLabelOffset = labels.HeaderLength,
            LabelStride = 1,
        };
    }

    /// <summary>The images file of a part of a dataset in a folder, compressed or not, or null if there is none.</summary>
    /// <param name="folder">Where to look.</param>
    /// <param name="part">The start of the name: <c>train</c> or <c>t10k</c>.</param>
    public static string? FindImages(string folder, string part) =>
        Suffixes
            .SelectMany(suffix => new[] { part + suffix, part + suffix + ".gz" })
            .Select(name => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

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
        var plain = labels.EndsWith(".gz", StringComparison.Ordinal) ? labels[..^3] : labels;
        var folder = Path.GetDirectoryName(imagesPath) ?? "";
        return new[] { labels, plain, plain + ".gz" }.Select(candidate => Path.Combine(folder, candidate)).FirstOrDefault(File.Exists)
            ?? throw FileErrors.In(imagesPath, $"its labels are missing: there is no {labels} beside it");
    }
}
