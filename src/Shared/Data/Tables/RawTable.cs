using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>The features and the labels of a table as they were read.</summary>
/// <param name="path">Where it was read from.</param>
/// <param name="columns">The features, in the order in which a model takes them.</param>
/// <param name="names">How messages name the columns: <c>column 'age'</c>.</param>
/// <param name="dialect">How numbers are written.</param>
internal sealed class RawTable(string path, IReadOnlyList<RawColumn> columns, IReadOnlyList<string> names, CsvDialect dialect)
{
    /// <summary>Where it was read from.</summary>
    public string Path { get; } = path;

    /// <summary>The features, in the order in which a model takes them.</summary>
    public IReadOnlyList<RawColumn> Columns { get; } = columns;

    /// <summary>How messages name the columns: <c>column 'age'</c>.</summary>
    public IReadOnlyList<string> Names { get; } = names;

    /// <summary>[rows], the label of each row; none if they are left aside.</summary>
    public CsvLabels Labels { get; } = new(path, dialect);

    /// <summary>[rows], how much each row counts in training; empty if all count alike.</summary>
    public List<float> Weights { get; } = [];

    /// <summary>Number of rows.</summary>
    public int RowCount => Columns[0].Values.Length;
}
