using System.Globalization;
using Distributed.Data.Formats.Csv;
using Distributed.Data.Tables;

namespace Distributed.Data.Formats.Parquet;

/// <summary>A table of one or several Parquet files of the same columns. Read a row group and a column at a time.</summary>
internal sealed class ParquetSource : TypedSource
{
    private readonly IReadOnlyList<ParquetFile> _files;

    /// <summary>Reads what the files say of themselves.</summary>
    /// <param name="path">What they are called together.</param>
    /// <param name="files">Their paths, at least one.</param>
    /// <param name="workspace">Where the table is to lie.</param>
    /// <exception cref="InputException">A file is damaged, or they have different columns.</exception>
    public ParquetSource(string path, IReadOnlyList<string> files, Workspace workspace)
    {
        Path = path;
        Workspace = workspace;
        _files = [.. files.Select(file => ParquetFile.Open(file, workspace))];
        FirstRow = NamesIn(_files[0]);
        if (FirstRow.Length == 0)
            throw FileErrors.In(_files[0].Path, "there is no column; a sample needs features and a label");
        var rows = 0L;
        List<(string Path, long First)> parts = [];
        foreach (var file in _files)
        {
            if (!NamesIn(file).SequenceEqual(FirstRow))
            {
                throw FileErrors.In(
                    file.Path,
                    $"its columns, '{Shown(file)}', are not those of {System.IO.Path.GetFileName(_files[0].Path)}, '{Shown(_files[0])}'; write all parts with the same ones"
                );
            }

            parts.Add((file.Path, rows));
            rows += file.Groups.Sum(group => (long)group);
        }

        RowCount =
            rows <= Array.MaxLength ? (int)rows : throw FileErrors.In(path, $"{rows} rows are more than {Array.MaxLength}; split it");
        Places = new RowPlaces(parts, (part, row) => Describe(_files[part], row));
    }

    /// <inheritdoc />
    public override string Path { get; }

    /// <inheritdoc />
    public override Workspace Workspace { get; }

    /// <inheritdoc />
    public override string[] FirstRow { get; }

    /// <inheritdoc />
    public override RowPlaces Places { get; }

    /// <inheritdoc />
    protected override int RowCount { get; }

    /// <inheritdoc />
    protected override IEnumerable<TypedBlock> Blocks() => _files.SelectMany(file => file.Blocks());

    /// <inheritdoc />
    protected override IEnumerable<Type> TypesOf(int column) => _files.Select(file => ParquetFile.TypeOf(file.Columns[column]));

    private static string[] NamesIn(ParquetFile file) => [.. file.Columns.Select(column => column.Name)];

    private static string Shown(ParquetFile file) => CsvText.Shorten(string.Join(",", NamesIn(file)));

    private static string Describe(ParquetFile file, long row)
    {
        var group = 0;
        for (; group < file.Groups.Count - 1 && row >= file.Groups[group]; group++)
            row -= file.Groups[group];
        return string.Create(CultureInfo.InvariantCulture, $"row group {group}, row {row}");
    }
}
