using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>The features and the labels of a table as they were read.</summary>
/// <param name="path">Where it was read from.</param>
/// <param name="columns">The features, in the order in which a model takes them.</param>
/// <param name="names">How messages name the columns: <c>column 'age'</c>.</param>
/// <param name="dialect">How numbers are written.</param>
/// <param name="targets">How messages name the columns of labels; null for one that needs no name.</param>
internal sealed class RawTable(
    string path,
    IReadOnlyList<RawColumn> columns,
    IReadOnlyList<string> names,
    CsvDialect dialect,
    params IReadOnlyList<string?> targets
)
{
    /// <summary>Where it was read from.</summary>
    public string Path { get; } = path;

    /// <summary>The features, in the order in which a model takes them.</summary>
    public IReadOnlyList<RawColumn> Columns { get; } = columns;

    /// <summary>How messages name the columns: <c>column 'age'</c>.</summary>
    public IReadOnlyList<string> Names { get; } = names;

    /// <summary>The columns of labels, each of [rows]; no rows if they are left aside.</summary>
    public IReadOnlyList<CsvLabels> Targets { get; } = [.. targets.DefaultIfEmpty().Select(name => new CsvLabels(path, dialect, name))];

    /// <summary>The column of labels that holds the classes.</summary>
    public CsvLabels Labels => Targets[0];

    /// <summary>[rows], how much each row counts in training; empty if all count alike.</summary>
    public List<float> Weights { get; } = [];

    /// <summary>[rows, targets], the numbers to predict.</summary>
    /// <exception cref="InputException">A label is no number.</exception>
    public double[] Numbers()
    {
        double[][] columns = [.. Targets.Select(target => target.Numbers())];
        return columns is [var one] ? one : [.. Enumerable.Range(0, RowCount).SelectMany(row => columns.Select(column => column[row]))];
    }

    /// <summary>Number of rows.</summary>
    public int RowCount => Columns[0].Values.Length;
}
