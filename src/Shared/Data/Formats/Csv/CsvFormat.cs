using Distributed.Data.Tables;

namespace Distributed.Data.Formats.Csv;

/// <summary>
/// Text of separated cells in UTF-8. Other text in rows and columns is a format that derives from this one and turns its text into CSV.
/// </summary>
internal class CsvFormat : TableFormat
{
    /// <inheritdoc />
    public override string Summary => "CSV (in UTF-8)";

    /// <summary>Whether a file may be text. Asked last: it has no mark of its own.</summary>
    public override bool Recognizes(DataFile file) => !file.Start.Contains((byte)0);

    /// <inheritdoc />
    public override TableSource Open(DataFiles files, DataOptions options) =>
        CsvSource.Of(
            files.Path,
            [.. files.Files.Select(file => new CsvPart(file, ReadText(file, options.Workspace)))],
            options.DecimalComma,
            options.Workspace
        );

    /// <summary>A file's content as CSV, line by line, so that messages name the lines of the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="workspace">Where the text is to lie.</param>
    /// <exception cref="InputException">It cannot be read.</exception>
    protected virtual ByteContent ReadText(string path, Workspace workspace) => workspace.Read(path);
}
