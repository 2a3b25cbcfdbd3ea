using ParquetSharp;

namespace Distributed.Shared.Tests.Data;

/// <summary>Parquet files as parquet-cpp writes them, which is what pandas, Polars' and Arrow's users have.</summary>
internal static class ParquetFiles
{
    /// <summary>A column to write.</summary>
    /// <param name="Column">Its name and type.</param>
    /// <param name="Write">Writes the rows from the first one, and so many.</param>
    internal sealed record Values(Column Column, Action<ColumnWriter, int, int> Write);

    public static Values Of<T>(string name, T[] values, LogicalType? type = null) =>
        new(new Column<T>(name, type), (writer, first, count) =>
        {
            using var logical = writer.LogicalWriter<T>();
            logical.WriteBatch(values.AsSpan(first, count));
        });

    /// <summary>Writes a file.</summary>
    /// <param name="path">Where.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="groupRows">Rows of a row group.</param>
    /// <param name="compression">How pages are compressed.</param>
    /// <param name="hasDictionary">Whether values stand in dictionaries.</param>
    /// <param name="columns">The columns.</param>
    public static void Write(string path, int rows, int groupRows, Compression compression, bool hasDictionary, params Values[] columns)
    {
        using var builder = new WriterPropertiesBuilder();
        builder.Compression(compression);
        if (!hasDictionary)
            builder.DisableDictionary();
        using var properties = builder.Build();
        using var file = new ParquetFileWriter(path, [.. columns.Select(values => values.Column)], properties);
        for (var first = 0; first < rows; first += groupRows)
        {
            using var group = file.AppendRowGroup();
            foreach (var values in columns)
            {
                using var writer = group.NextColumn();
                values.Write(writer, first, Math.Min(groupRows, rows - first));
            }
        }

        file.Close();
    }

    public static void Write(string path, params Values[] columns) => Write(path, 10, 10, Compression.Snappy, hasDictionary: true, columns);
}
