namespace Distributed.Data.Formats;

/// <summary>What a path turned out to hold.</summary>
/// <param name="Format">The format of the files.</param>
/// <param name="Path">The path as it was named: one file, or a folder.</param>
/// <param name="Files">The files to read, in order.</param>
internal sealed record DataFiles(DataFormat Format, string Path, IReadOnlyList<string> Files)
{
    /// <summary>The file at a path, or the training set in a folder.</summary>
    /// <exception cref="InputException">No format recognizes it.</exception>
    public static DataFiles Train(string path) =>
        !Directory.Exists(path) ? OfFile(path) : First(path, format => format.FindTrain(path)) ?? throw UnknownFolder(path);

    /// <summary>The file at a path, or the test set in a folder, or else a folder's training set.</summary>
    /// <exception cref="InputException">No format recognizes it.</exception>
    public static DataFiles Test(string path) => Directory.Exists(path) ? FindTest(path) ?? Train(path) : OfFile(path);

    /// <summary>The test set that a folder has beside its training set, or null.</summary>
    public static DataFiles? FindTest(string path) => Directory.Exists(path) ? First(path, format => format.FindTest(path)) : null;

    private static DataFiles? First(string path, Func<DataFormat, IReadOnlyList<string>> find) =>
        DataFormat.All.Select(format => new DataFiles(format, path, find(format))).FirstOrDefault(found => found.Files.Count > 0);

    private static DataFiles OfFile(string path)
    {
        var file = new DataFile(path);
        var format = DataFormat.All.FirstOrDefault(format => format.Recognizes(file));
        return format is null ? throw UnknownFile(path) : new DataFiles(format, path, [path]);
    }

    private static InputException UnknownFile(string path) =>
        FileErrors.In(path, $"the format is not known; {DataFormat.Summaries} can be read");

    private static InputException UnknownFolder(string path)
    {
        var names = string.Join(" nor ", DataFormat.All.SelectMany(format => format.FolderNames));
        return FileErrors.In(path, $"the folder holds neither {names}; for CSV, name the file");
    }
}
