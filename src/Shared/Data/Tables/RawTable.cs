using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>The features and the labels of a table as they were read.</summary>
/// <param name="path">Where it was read from.</param>
/// <param name="columns">The features, in the order in which a model takes them.</param>
/// <param name="names">How messages name the columns: <c>column 'age'</c>.</param>
/// <param name="labels">[rows], the label of each row; none if they are left aside.</param>
/// <param name="places">Names the places of rows.</param>
internal sealed class RawTable(
    string path,
    IReadOnlyList<RawColumn> columns,
    IReadOnlyList<string> names,
    RawLabels labels,
    RowPlaces places
)
{
    /// <summary>A table that is still to be filled.</summary>
    /// <param name="source">Where it is read from.</param>
    /// <param name="layout">Its columns.</param>
    /// <param name="kinds">[features], what they hold; null where that is to be found out.</param>
    /// <param name="rules">What becomes of cells.</param>
    /// <param name="rows">Number of rows.</param>
    public RawTable(TableSource source, TableLayout layout, IReadOnlyList<ColumnKind?> kinds, CellRules rules, int rows)
        : this(
            source.Path,
            [.. kinds.Select(kind => new RawColumn(kind, rows))],
            [.. layout.Features.Select(layout.Describe)],
            new RawLabels(source.Path, rows, rules),
            rules.Places
        ) { }

    /// <summary>Where it was read from.</summary>
    public string Path { get; } = path;

    /// <summary>The features, in the order in which a model takes them.</summary>
    public IReadOnlyList<RawColumn> Columns { get; } = columns;

    /// <summary>How messages name the columns: <c>column 'age'</c>.</summary>
    public IReadOnlyList<string> Names { get; } = names;

    /// <summary>[rows], the label of each row; none if they are left aside.</summary>
    public RawLabels Labels { get; } = labels;

    /// <summary>Names the places of rows.</summary>
    public RowPlaces Places { get; } = places;

    /// <summary>Number of rows.</summary>
    public int RowCount => Columns[0].Values.Length;

    /// <summary>Some consecutive rows of a column, to be filled on any thread.</summary>
    /// <param name="feature">The column.</param>
    /// <param name="first">The first row.</param>
    /// <param name="rules">What becomes of a cell.</param>
    public ColumnStretch Stretch(int feature, int first, CellRules rules) => Columns[feature].Stretch(Names[feature], first, rules);

    /// <summary>A table of numbers without labels.</summary>
    /// <param name="path">What it is called.</param>
    /// <param name="columns">[columns][rows].</param>
    /// <param name="names">How messages name the columns.</param>
    public static RawTable OfNumbers(string path, IEnumerable<double[]> columns, IReadOnlyList<string> names)
    {
        var rules = new CellRules(CsvDialect.Usual, new GapTexts(texts: null), HoldsTest: false, RowPlaces.OfRows(path));
        return new RawTable(
            path,
            [.. columns.Select(numbers => new RawColumn(numbers))],
            names,
            new RawLabels(path, 0, rules),
            rules.Places
        );
    }
}
