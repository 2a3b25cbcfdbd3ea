namespace Distributed.Data.Formats;

/// <summary>What a path turned out to hold.</summary>
/// <param name="Format">The format of the files.</param>
/// <param name="Path">The path as it was named: one file, or a folder.</param>
/// <param name="Files">The files to read, in order.</param>
internal sealed record DataFiles(DataFormat Format, string Path, IReadOnlyList<string> Files)
{
    /// <summary>The file at a path, or the training set in a folder.</summary>
    /// <exception cref="InputException">No format recognizes it, or a folder holds several sets.</exception>
    public static DataFiles Train(string path) =>
        !Directory.Exists(path)
            ? OfFile(path)
            : Only(path, format => format.FindTrain(path)) ?? TableParts.Find(path) ?? throw UnknownFolder(path);

    /// <summary>The file at a path, or the test set in a folder, or else a folder's training set.</summary>
    /// <exception cref="InputException">No format recognizes it, or a folder holds several sets.</exception>
    public static DataFiles Test(string path) => Directory.Exists(path) ? FindTest(path) ?? Train(path) : OfFile(path);

    /// <summary>The files that judge a training while it goes on; null if options name none.</summary>
    /// <exception cref="InputException">No format recognizes them, or a folder holds several sets.</exception>
    public static DataFiles? Holdout(DataOptions options) => Data.Holdout.Of(options) is { Path: { } path } ? Test(path) : null;

    /// <summary>The test set that a folder has beside its training set, or null.</summary>
    /// <exception cref="InputException">The folder holds several.</exception>
    public static DataFiles? FindTest(string path)
    {
        if (!Directory.Exists(path))
            return null;
        var train = Only(path, format => format.FindTrain(path));
        return Only(path, format => train is null || format == train.Format ? format.FindTest(path) : []);
    }

    /// <summary>The format of a file; null if none recognizes it.</summary>
    /// <exception cref="InputException">It cannot be read.</exception>
    public static DataFormat? FormatOf(string path)
    {
        var file = new DataFile(path);
        return DataFormat.All.FirstOrDefault(format => format.Recognizes(file));
    }

    private static DataFiles? Only(string path, Func<DataFormat, IReadOnlyList<string>> find)
    {
        DataFiles[] found =
        [
            .. DataFormat.All.Select(format => new DataFiles(format, path, find(format))).Where(candidate => candidate.Files.Count > 0),
        ];
        return found.Length < 2 ? found.FirstOrDefault() : throw FolderParts.Doubles(path, [.. found.Select(set => set.Files[0])]);
    }

    private static DataFiles OfFile(string path) =>
        FormatOf(path) is { } format ? new DataFiles(format, path, [path]) : throw UnknownFile(path);

    private static InputException UnknownFile(string path) =>
        FileErrors.In(path, $"the format is not known; {DataFormat.Summaries} can be read");

    private static InputException UnknownFolder(string path)
    {
        var names = string.Join(" nor ", DataFormat.All.SelectMany(format => format.FolderNames));
        return FileErrors.In(path, $"the folder holds neither {names} nor a table");
    }
}
