using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>The features and the labels of a table as they were read.</summary>
/// <param name="path">Where it was read from.</param>
/// <param name="columns">The features, in the order in which a model takes them.</param>
/// <param name="names">How messages name the columns: <c>column 'age'</c>.</param>
/// <param name="targets">The columns of labels, at least one, each of [rows]; no rows if they are left aside.</param>
/// <param name="weights">[rows], how much each row counts in training; empty if all count alike.</param>
/// <param name="places">Names the places of rows.</param>
/// <param name="workspace">Where all that lies.</param>
internal sealed class RawTable(
    string path,
    IReadOnlyList<RawColumn> columns,
    IReadOnlyList<string> names,
    IReadOnlyList<RawLabels> targets,
    Memory<float> weights,
    RowPlaces places,
    Workspace workspace
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
            [.. kinds.Select(kind => new RawColumn(kind, source.Workspace.Allocate<double>(rows)))],
            [.. layout.Features.Select(layout.Describe)],
            // Of several columns of labels, messages tell which one they speak of.
            [
                .. layout
                    .Labels.Select(column => layout.Labels.Count > 1 ? layout.Describe(column) : null)
                    .DefaultIfEmpty()
                    .Select(name => new RawLabels(
                        source.Path,
                        source.Workspace.Allocate<double>(rows),
                        source.Workspace.Allocate<int>(rows),
                        rules,
                        name
                    )),
            ],
            source.Workspace.Allocate<float>(layout.WeightIndex >= 0 ? rows : 0),
            rules.Places,
            source.Workspace
        ) { }

    /// <summary>Where it was read from.</summary>
    public string Path { get; } = path;

    /// <summary>The features, in the order in which a model takes them.</summary>
    public IReadOnlyList<RawColumn> Columns { get; } = columns;

    /// <summary>How messages name the columns: <c>column 'age'</c>.</summary>
    public IReadOnlyList<string> Names { get; } = names;

    /// <summary>The columns of labels, each of [rows]; no rows if they are left aside.</summary>
    public IReadOnlyList<RawLabels> Targets { get; } = targets;

    /// <summary>The column of labels that holds the classes.</summary>
    public RawLabels Labels => Targets[0];

    /// <summary>Whether it has to be read again, with the texts of its labels, since some are no numbers.</summary>
    public bool LacksTexts => Targets.Any(target => target.LacksTexts);

    /// <summary>[rows], how much each row counts in training; empty if all count alike.</summary>
    public Memory<float> Weights { get; } = weights;

    /// <summary>[targets][rows], the numbers to predict.</summary>
    /// <exception cref="InputException">A label is no number.</exception>
    public IReadOnlyList<ReadOnlyMemory<double>> Numbers() => [.. Targets.Select(target => target.Numbers())];

    /// <summary>Says that all rows are there. Of features, pieces will be read side by side, of the others column by column.</summary>
    public void End()
    {
        foreach (var target in Targets)
            target.End(workspace);
        workspace.ReadInOrder<float>(Weights);
    }

    /// <summary>Looks through all rows of a feature in their order.</summary>
    public T Scan<T>(int feature, Func<RawColumn, T> look)
    {
        var column = Columns[feature];
        workspace.ReadInOrder(column.Room);
        var found = look(column);
        workspace.ReadInPieces(column.Room);
        return found;
    }

    /// <summary>Says that rows will be read soon.</summary>
    /// <param name="first">The first one.</param>
    /// <param name="count">How many.</param>
    public void ReadSoon(int first, int count)
    {
        foreach (var column in Columns)
            workspace.ReadSoon(column.Room.Slice(first, count));
    }

    /// <summary>Gives back what the rows take, which are not to be asked for any more.</summary>
    public void Free()
    {
        foreach (var column in Columns)
            workspace.Free(column.Room);
        foreach (var target in Targets)
            target.Free(workspace);
        workspace.Free<float>(Weights);
    }

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
        var rules = new CellRules(CsvDialect.Usual, new GapTexts(texts: null), Split: default, RowPlaces.OfRows(path));
        return new RawTable(
            path,
            [.. columns.Select(numbers => new RawColumn(numbers))],
            names,
            [new RawLabels(path, Memory<double>.Empty, Memory<int>.Empty, rules)],
            Memory<float>.Empty,
            rules.Places,
            Workspace.InMemory
        );
    }
}
