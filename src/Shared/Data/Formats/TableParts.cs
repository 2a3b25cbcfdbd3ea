namespace Distributed.Data.Formats;

/// <summary>A folder whose files are parts of one table, as Spark, Dask and others write them.</summary>
internal static class TableParts
{
    /// <summary>The parts, in the ordinal order of their names; null if there is no table in the folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="InputException">It has folders of its own, or files that are no table or of several formats.</exception>
    public static DataFiles? Find(string folder)
    {
        string[] files =
        [
            .. Visible(Directory.EnumerateFiles(folder)).Order(StringComparer.Ordinal).Select(name => Path.Combine(folder, name)),
        ];
        DataFormat?[] formats = [.. files.Select(DataFiles.FormatOf)];
        if (Array.Find(formats, format => format is TableFormat) is not { } first)
        {
            RequireNoPartitions(folder);
            return null;
        }

        RequireFilesOnly(folder);
        foreach (var (file, format) in files.Zip(formats))
        {
            if (format == first)
                continue;
            var other = format is null ? "is of no known format" : $"holds {format.Summary}";
            var part = Path.GetFileName(files[Array.IndexOf(formats, first)]);
            throw FileErrors.In(
                folder,
                $"{Path.GetFileName(file)} {other}, but {part} holds {first.Summary}; move one away, or name a file"
            );
        }

        RequireEachOnce(folder, files);
        RequireOnePurpose(folder, files);
        return new DataFiles(first, folder, files);
    }

    // Names that begin so are those of marks such as _SUCCESS, of checksums and of files that are still being written.
    private static IEnumerable<string> Visible(IEnumerable<string> paths) =>
        paths.Select(path => Path.GetFileName(path)).Where(name => name[0] is not ('_' or '.'));

    private static void RequireFilesOnly(string folder)
    {
        RequireNoPartitions(folder);
        if (InnerFolder(folder, _ => true) is { } inner)
        {
            throw FileErrors.In(
                folder,
                $"the folder {inner} would be left aside; put all parts into one folder, or name a folder that has no others"
            );
        }
    }

    // The values of key=value folders are a column, of which the files below them say nothing.
    private static void RequireNoPartitions(string folder)
    {
        if (InnerFolder(folder, name => name.Contains('=', StringComparison.Ordinal)) is { } inner)
        {
            throw FileErrors.In(
                folder,
                $"the folder {inner} stands for a column and its value, which is not read; write the table without partitions, so that the column is in its files"
            );
        }
    }

    private static string? InnerFolder(string folder, Func<string, bool> isRefused) =>
        Visible(Directory.EnumerateDirectories(folder)).Order(StringComparer.Ordinal).FirstOrDefault(isRefused);

    // A training and a test set side by side would be one table, and the model be judged by what it has learnt from.
    private static void RequireOnePurpose(string folder, string[] files)
    {
        if (Array.Find(files, IsOf("train", "training")) is not { } train)
            return;
        if (Array.Find(files, IsOf("test", "testing", "valid", "validation", "val", "dev", "eval", "holdout")) is not { } other)
            return;
        throw FileErrors.In(
            folder,
            $"{Path.GetFileName(train)} and {Path.GetFileName(other)} are not parts of one table by their names: name the files, with --data {train} --test {other}, or put parts into a folder of their own"
        );

        static Predicate<string> IsOf(params string[] words) =>
            file =>
            {
                var name = Path.GetFileName(file);
                var word = string.Concat(name.TakeWhile(char.IsAsciiLetter));
                return words.Contains(word, StringComparer.OrdinalIgnoreCase);
            };
    }

    private static void RequireEachOnce(string folder, string[] files)
    {
        foreach (var same in files.GroupBy(FolderParts.TrimCompression, StringComparer.Ordinal).Where(same => same.Count() > 1))
            throw FolderParts.Doubles(folder, [.. same]);
    }
}
