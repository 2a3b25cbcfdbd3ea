using System.Globalization;
using Distributed.Data.Formats.Csv;
using Distributed.Data.Tables;
using Parquet;
using Parquet.Schema;

namespace Distributed.Data.Formats.Parquet;

/// <summary>A Parquet file: its columns, and how many rows each of its groups has. It is open only while it is read.</summary>
internal sealed class ParquetFile
{
    private const string Footer = "its footer";

    private readonly Workspace _workspace;

    private ParquetFile(string path, Workspace workspace, IReadOnlyList<Field> columns, int[] groups)
    {
        _workspace = workspace;
        Path = path;
        Columns = columns;
        Groups = groups;
    }

    /// <summary>What a file begins and ends with.</summary>
    public static ReadOnlySpan<byte> Magic => "PAR1"u8;

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>The columns of the table.</summary>
    public IReadOnlyList<Field> Columns { get; }

    /// <summary>[row groups], the rows of each.</summary>
    public IReadOnlyList<int> Groups { get; }

    /// <summary>Reads what a file says of itself.</summary>
    /// <param name="path">The file.</param>
    /// <param name="workspace">Where its content is to lie if it has to be decompressed.</param>
    /// <exception cref="InputException">It cannot be read, or is damaged.</exception>
    public static ParquetFile Open(string path, Workspace workspace)
    {
        using var reader = new Reader(path, workspace);
        return Refusing(path, Footer, () =>
        {
            Field[] columns = [.. reader.Schema.Fields.Where(field => !IsIndexOfPandas(field.Name))];
            return new ParquetFile(path, workspace, columns, [.. reader.Groups.Select(group => RowsOf(group, columns))]);
        });
    }

    /// <summary>The type of a column's values; a list or a group of columns has none of its own.</summary>
    public static Type TypeOf(Field column) =>
        column is not DataField { IsArray: false } field ? typeof(List<>)
        : field.ClrType == typeof(ReadOnlyMemory<char>) ? typeof(string)
        : field.ClrType;

    /// <summary>The row groups, each to be read before the next.</summary>
    public IEnumerable<TypedBlock> Blocks()
    {
        using var reader = new Reader(Path, _workspace);
        for (var group = 0; group < Groups.Count; group++)
            yield return new ParquetBlock(this, group, reader.Groups[group]);
    }

    /// <summary>Carries out what the library does with bytes, which may be any.</summary>
    /// <param name="path">The file.</param>
    /// <param name="part">What is read of it, for messages.</param>
    /// <param name="read">Reads it.</param>
    /// <exception cref="InputException">It cannot be read, or is damaged.</exception>
    public static T Refusing<T>(string path, string part, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not InputException && (part == Footer || e is not OutOfMemoryException))
        {
            throw FileErrors.In(
                path,
                $"{part} cannot be read ({e.Message}); the file is damaged, or written in a way that is not known here: get it again, or write it anew",
                e
            );
        }
    }

    // Rows are allocated for, so that a damaged number must not pass: columns say theirs too.
    private static int RowsOf(ParquetRowGroupReader group, IEnumerable<Field> columns)
    {
        foreach (var column in columns.OfType<DataField>().Where(column => !column.IsArray))
        {
            if (group.GetMetadata(column)?.MetaData?.NumValues != group.RowCount)
            {
                throw new InvalidDataException(
                    $"a row group of {group.RowCount} rows has another number of values of column '{CsvText.Shorten(column.Name)}'"
                );
            }
        }

        return checked((int)group.RowCount);
    }

    // What pandas keeps of a table whose rows were chosen or shuffled, and does not show as a column either.
    private static bool IsIndexOfPandas(string name) =>
        name.StartsWith("__index_level_", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal);

    /// <summary>An open file.</summary>
    private sealed class Reader : IDisposable
    {
        private readonly Stream _content;
        private readonly ParquetReader _reader;

        public Reader(string path, Workspace workspace)
        {
            _content = workspace.OpenSeekable(path);
            try
            {
                RequireEnd(path);
                _reader = Refusing(path, Footer, () => ParquetReader.CreateAsync(_content, leaveStreamOpen: true).GetAwaiter().GetResult());
            }
            catch
            {
                _content.Dispose();
                throw;
            }
        }

        public ParquetSchema Schema => _reader.Schema;

        public IReadOnlyList<ParquetRowGroupReader> Groups => _reader.RowGroups;

        public void Dispose()
        {
            _reader.DisposeAsync().AsTask().GetAwaiter().GetResult(); // of a stream in memory or on a disk: nothing is waited for
            _content.Dispose();
        }

        private void RequireEnd(string path)
        {
            Span<byte> end = stackalloc byte[Magic.Length];
            _content.Position = Math.Max(0, _content.Length - end.Length);
            _content.ReadAtLeast(end, end.Length, throwOnEndOfStream: false);
            _content.Position = 0;
            if (!end.SequenceEqual(Magic))
            {
                throw FileErrors.In(
                    path,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"the file is truncated: it begins as a Parquet file, but does not end as one after {_content.Length} bytes; get it again"
                    )
                );
            }
        }
    }
}
