using Distributed.Data.Formats;
using Distributed.Data.Formats.Idx;

namespace Distributed.Data.Named;

/// <summary>
/// Fashion-MNIST (H. Xiao, K. Rasul, R. Vollgraf, 2017, MIT licence): 70,000 pictures of 28 x 28 bytes of ten kinds of clothing.
/// </summary>
internal static class FashionMnist
{
    /// <summary>The name to ask for it by.</summary>
    public const string Name = "fashion-mnist";

    /// <summary>Where Debian's package installs it.</summary>
    public const string DebianFolder = "/usr/share/datasets/fashion-mnist";

    /// <summary>The ways to get it, for messages.</summary>
    public const string Remedy =
        "install Debian's package dataset-fashion-mnist, or put the four files of https://github.com/zalandoresearch/fashion-mnist "
        + "in a folder and name it with --data-dir";

    private const string OtherData = "to train on other data, name its folder with --data";

    private static readonly Uri Source = new("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/");

    private static readonly string[] ClassNames =
    [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ];

    /// <summary>The files, without <c>.gz</c>, and the SHA-256 of each one's uncompressed content.</summary>
    public static IReadOnlyList<PublishedFile> Files { get; } =
    [
        new("train-images-idx3-ubyte", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        new("train-labels-idx1-ubyte", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        new("t10k-images-idx3-ubyte", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        new("t10k-labels-idx1-ubyte", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    ];

    /// <summary>What is known without reading it.</summary>
    /// <param name="dataDir">A folder to search first, or null.</param>
    public static DatasetDescription Describe(string? dataDir)
    {
        var folder = Find(Folders(dataDir));
        return new DatasetDescription
        {
            Name = Name,
            Summary = "pictures of clothing",
            Shape = new SampleShape(1, 28, 28),
            Classes = ClassNames.Length,
            TrainSamples = 60_000,
            TestSamples = 10_000,
            Location = folder,
            Remedy = folder is null ? Remedy : null,
        };
    }

    /// <summary>Reads it, after a download if it is nowhere on this machine.</summary>
    /// <param name="dataDir">A folder to search first and to download to, or null.</param>
    /// <param name="fraction">The part of the training set that is held out; 0 for none.</param>
    /// <param name="workspace">Where it is to lie.</param>
    /// <param name="cancellation">Ends a download.</param>
    /// <exception cref="InputException">It cannot be had, or the files are not those that were published.</exception>
    public static Dataset Load(string? dataDir, decimal fraction, Workspace workspace, CancellationToken cancellation)
    {
        var folder = Find(Folders(dataDir)) ?? Download(DownloadFolder(dataDir), cancellation);
        return Read(folder, workspace, fraction);
    }

    /// <summary>Reads it from a folder that holds all the files.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="workspace">Where it is to lie.</param>
    /// <param name="fraction">The part of the training set that is held out; 0 for none.</param>
    /// <exception cref="InputException">A file is bad, or not the one that was published.</exception>
    public static Dataset Read(string folder, Workspace workspace, decimal fraction = 0) =>
        ByteDataset.Create(
            Name,
            folder,
            ReadPart(folder, Files[0], Files[1], workspace),
            ReadPart(folder, Files[2], Files[3], workspace),
            ByteDataset.ImageDivisor,
            workspace,
            fraction
        );

    /// <summary>The first folder that holds all the files, or null.</summary>
    public static string? Find(IEnumerable<string> folders) =>
        folders.FirstOrDefault(folder => Files.All(file => file.FindIn(folder) is not null));

    private static string Download(string folder, CancellationToken cancellation)
    {
        using var download = new DatasetDownload(new SocketsHttpHandler { ConnectTimeout = DatasetDownload.ConnectTimeout }, Source);
        download.Fetch(Files, folder, Remedy, cancellation);
        return folder;
    }

    private static IEnumerable<string> Folders(string? dataDir) =>
        dataDir is null ? [DownloadFolder(null), DebianFolder] : [dataDir, DownloadFolder(dataDir), DebianFolder];

    private static string DownloadFolder(string? dataDir)
    {
        if (dataDir is not null)
            return Path.Combine(dataDir, Name);
        var user = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        return Path.Combine(user.Length > 0 ? user : Path.GetTempPath(), "distributed", "datasets", Name);
    }

    private static ByteSamples ReadPart(string folder, PublishedFile imagesFile, PublishedFile labelsFile, Workspace workspace)
    {
        var images = IdxFile.Read(imagesFile.FindIn(folder)!, workspace);
        var labels = IdxFile.Read(labelsFile.FindIn(folder)!, workspace);
        var samples = IdxFormat.Combine(images, labels, workspace) with { ClassNames = ClassNames };
        samples.RequireLabelsBelow(ClassNames.Length);
        imagesFile.RequireContent(images.Path, images.Content.From(0), OtherData);
        labelsFile.RequireContent(labels.Path, labels.Content.From(0), OtherData);
        return samples;
    }
}
