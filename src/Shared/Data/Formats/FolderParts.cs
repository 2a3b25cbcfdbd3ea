namespace Distributed.Data.Formats;

/// <summary>The parts of a dataset among the files of a folder: each is there once, compressed or not.</summary>
internal static class FolderParts
{
    private const string Compression = ".gz";

    /// <summary>A file's name without <c>.gz</c>.</summary>
    public static string TrimCompression(string name) =>
        name.EndsWith(Compression, StringComparison.OrdinalIgnoreCase) ? name[..^Compression.Length] : name;

    /// <summary>The file of a part that goes by one of several names.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="names">The names, without <c>.gz</c>.</param>
    /// <returns>The file, or none.</returns>
    /// <exception cref="InputException">There are several, of which one would be taken silently.</exception>
    public static IReadOnlyList<string> Find(string folder, params IEnumerable<string> names)
    {
        string[] found =
        [
            .. names.SelectMany(name => new[] { name, name + Compression }).Select(name => Path.Combine(folder, name)).Where(File.Exists),
        ];
        return found.Length < 2 ? found : throw Doubles(folder, found);
    }

    /// <summary>Refuses files that stand for the same part.</summary>
    public static InputException Doubles(string folder, IReadOnlyList<string> files) =>
        FileErrors.In(
            folder.Length == 0 ? "." : folder,
            $"{string.Join(" and ", files.Select(Path.GetFileName))} are the same part of the data; move one away, or name a file"
        );
}
