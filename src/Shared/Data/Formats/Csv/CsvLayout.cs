using System.Globalization;

namespace Distributed.Data.Formats.Csv;

/// <summary>The columns of a CSV file: how many, which one holds the labels, and what they are called.</summary>
internal sealed class CsvLayout
{
    private readonly string[] _firstRow;

    private CsvLayout(CsvDialect dialect, string[] firstRow, bool hasHeader, int labelIndex, IReadOnlyList<int>? columns = null)
    {
        _firstRow = firstRow;
        Dialect = dialect;
        HasHeader = hasHeader;
        LabelIndex = labelIndex;
        columns ??= [.. Enumerable.Range(0, ColumnCount).Where(column => column != labelIndex)];
        Features = [.. columns.Select(column => labelIndex >= 0 && column > labelIndex ? column - 1 : column)];
    }

    /// <summary>How the text is cut into cells.</summary>
    public CsvDialect Dialect { get; }

    /// <summary>Whether the first row names the columns.</summary>
    public bool HasHeader { get; }

    /// <summary>The column of the labels, from 0; -1 if there is none.</summary>
    public int LabelIndex { get; }

    /// <summary>Number of columns, the labels' included.</summary>
    public int ColumnCount => _firstRow.Length;

    /// <summary>Number of columns that hold features.</summary>
    public int FeatureCount => LabelIndex < 0 ? ColumnCount : ColumnCount - 1;

    /// <summary>For each feature in the order in which it is taken, its place among a row's features.</summary>
    public IReadOnlyList<int> Features { get; }

    /// <summary>Whether the features are taken in the order of the file.</summary>
    public bool IsInOrder => Features.Index().All(feature => feature.Item == feature.Index);

    /// <summary>
    /// The names of the columns; null if there are none, or if the labels and a feature both have an empty one, so that they cannot be
    /// told apart by name.
    /// </summary>
    public ColumnNames? Names =>
        HasHeader && TargetTwin() < 0
            ? new ColumnNames([.. _firstRow.Where((_, column) => column != LabelIndex)], _firstRow[LabelIndex])
            : null;

    /// <summary>Whether a row's first cell is all of it and is empty; such rows are skipped.</summary>
    public static bool IsBlankRow(CsvCell firstCell) => firstCell is { EndsRecord: true, IsQuoted: false, Text.IsEmpty: true };

    /// <summary>Reads the layout off the first row.</summary>
    /// <param name="source">The text.</param>
    /// <param name="labelColumn">A column's name or its index from 0; null for the last column.</param>
    /// <param name="header">Whether the first row names the columns; null to find out.</param>
    /// <exception cref="InputException">There is no such column, there are too few, or it takes a person to tell.</exception>
    public static CsvLayout Detect(CsvSource source, string? labelColumn, bool? header)
    {
        var firstRow = FirstRow(source, out var line);
        if (firstRow.Length < 2)
        {
            throw FileErrors.AtLine(source.Path, line, "the row has 1 cell; a sample needs features and a label, with commas between them");
        }

        var (labelIndex, hasHeader) = FindLabels(source, firstRow, labelColumn, header);
        if (header is null && !hasHeader)
            CsvHeader.RequireCertain(source, line, firstRow, labelIndex);
        var layout = new CsvLayout(source.Dialect, firstRow, hasHeader, labelIndex);
        layout.RequireTargetOnce(source.Path);
        return layout;
    }

    /// <summary>
    /// The layout of a file that goes with a model or with training data: columns are found by their names where both sides have names,
    /// else by their order. The column of the labels may be there or not.
    /// </summary>
    /// <param name="source">The text.</param>
    /// <param name="columns">What the other side has.</param>
    /// <param name="labelColumn">The column of the labels, by name or index; null for the other side's own or the last one.</param>
    /// <param name="header">Whether the first row names the columns; null to find out.</param>
    /// <exception cref="InputException">The columns are not those of the other side.</exception>
    public static CsvLayout Matching(CsvSource source, CsvColumns columns, string? labelColumn, bool? header)
    {
        var firstRow = FirstRow(source, out _);
        var labels = firstRow.Length == columns.FeatureCount + 1 ? columns.LabelIndex ?? columns.FeatureCount : -1;
        var hasHeader = header ?? (IsNamed(source.Dialect, firstRow, columns.Names) || CsvHeader.IsIn(source, firstRow, labels));
        return hasHeader && columns.Names is not null
            ? ByName(source, firstRow, columns, columns.Names, labelColumn)
            : ByOrder(source, firstRow, hasHeader, columns, labelColumn);
    }

    /// <summary>Refuses a file without labels.</summary>
    /// <exception cref="InputException">It has none.</exception>
    public void RequireLabels(string path, CsvColumns columns)
    {
        if (LabelIndex >= 0)
            return;
        var name = HasHeader && columns.Names is { } names ? $"column '{CsvText.Shorten(names.Target)}'" : "column";
        throw FileErrors.In(path, $"there is no {name} of labels besides the features; name it with --label-column");
    }

    /// <summary>A column as messages name it.</summary>
    public string Describe(int column) =>
        HasHeader ? $"column '{CsvText.Shorten(_firstRow[column])}'" : $"column {column} (the first is 0)";

    /// <summary>Whether a first row names columns: with a name that is no number, or with all of them.</summary>
    private static bool IsNamed(CsvDialect dialect, string[] firstRow, ColumnNames? names) =>
        names is not null
        && (
            names.Features.Any(name => name.Length > 0 && !dialect.IsNumber(name) && firstRow.Contains(name))
            || names.Features.All(firstRow.Contains)
        );

    private static CsvLayout ByName(CsvSource source, string[] firstRow, CsvColumns columns, ColumnNames names, string? labelColumn)
    {
        var labelIndex = LabelsByName(source, firstRow, names, labelColumn);
        // Columns of one name are told apart by their order alone.
        var isTaken = new bool[firstRow.Length];
        var places = new int[names.Features.Count];
        for (var feature = 0; feature < places.Length; feature++)
        {
            var name = names.Features[feature];
            places[feature] = Array.FindIndex([.. firstRow.Zip(isTaken)], column => column.First == name && !column.Second);
            if (places[feature] < 0)
                throw FileErrors.In(source.Path, $"there is no column '{CsvText.Shorten(name)}', which {columns.Owner} {columns.Verb}");
            isTaken[places[feature]] = true;
        }

        var extra = Array.FindIndex([.. isTaken.Index()], column => !column.Item && column.Index != labelIndex);
        if (extra >= 0)
        {
            throw FileErrors.In(
                source.Path,
                $"column '{CsvText.Shorten(firstRow[extra])}' is none that {columns.Owner} {columns.Verb}; "
                    + "drop it, or name the column of the targets with --label-column"
            );
        }

        return new CsvLayout(source.Dialect, firstRow, hasHeader: true, labelIndex, places);
    }

    /// <summary>
    /// The column of the labels: the one that an option names, unless that is a feature by name, as the index is where columns have
    /// another order.
    /// </summary>
    private static int LabelsByName(CsvSource source, string[] firstRow, ColumnNames names, string? labelColumn)
    {
        int[] targets = [.. firstRow.Index().Where(column => column.Item == names.Target).Select(column => column.Index)];
        var byOption = labelColumn is null ? -1 : FindLabels(source, firstRow, labelColumn, header: true).Index;
        if (byOption >= 0 && (targets.Length == 0 || !names.Features.Contains(firstRow[byOption])))
            return byOption;
        return targets.Length < 2 ? targets.DefaultIfEmpty(-1).Single() : throw Twice(source.Path, names.Target, targets);
    }

    private static CsvLayout ByOrder(CsvSource source, string[] firstRow, bool hasHeader, CsvColumns columns, string? labelColumn)
    {
        var features = columns.FeatureCount;
        if (columns.LabelIndex is not null && firstRow.Length != features + 1)
            throw FileErrors.In(source.Path, $"{firstRow.Length} columns, but {columns.Owner} {columns.Verb} {features + 1}");
        var labelIndex =
            labelColumn is not null ? FindLabels(source, firstRow, labelColumn, hasHeader).Index
            : firstRow.Length == features + 1 ? columns.LabelIndex ?? features
            : -1;
        var layout = new CsvLayout(source.Dialect, firstRow, hasHeader, labelIndex);
        if (layout.FeatureCount == features)
            return layout;
        throw FileErrors.In(
            source.Path,
            $"a row has {layout.FeatureCount} features, {columns.Owner} {columns.Verb} {features}, with or without a column of targets"
        );
    }

    private static string[] FirstRow(CsvSource source, out int line)
    {
        var reader = source.Read();
        var cells = new List<string>();
        line = 1;
        while (reader.TryRead(out var cell))
        {
            if (cells.Count == 0 && IsBlankRow(cell))
                continue;
            line = reader.Line;
            cells.Add(CsvText.Of(cell, source.Path, line));
            if (cell.EndsRecord)
                break;
        }

        return [.. cells];
    }

    /// <summary>The column of the labels, and whether the first row names the columns. A name counts before an index.</summary>
    private static (int Index, bool HasHeader) FindLabels(CsvSource source, string[] firstRow, string? labelColumn, bool? header)
    {
        if (labelColumn is null)
            return (firstRow.Length - 1, header ?? CsvHeader.IsIn(source, firstRow, firstRow.Length - 1));
        int[] named = [.. firstRow.Index().Where(column => header != false && column.Item == labelColumn).Select(column => column.Index)];
        if (ParseIndex(labelColumn) is not { } index || index >= firstRow.Length)
        {
            return named.Length switch
            {
                0 => throw NoColumn(source.Path, firstRow, labelColumn, header),
                1 => (named[0], true),
                _ => throw Twice(source.Path, labelColumn, named),
            };
        }

        var hasHeader = header ?? CsvHeader.IsIn(source, firstRow, index);
        foreach (var column in named)
        {
            if (column != index && (hasHeader || CsvHeader.IsIn(source, firstRow, column)))
                throw Ambiguous(source.Path, firstRow, labelColumn, index, column);
        }

        return (index, hasHeader);
    }

    private static int? ParseIndex(string labelColumn) =>
        int.TryParse(labelColumn, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    private static InputException NoColumn(string path, string[] firstRow, string labelColumn, bool? header)
    {
        var names = header == false ? "" : $" or a name of the first row ({CsvText.Shorten(string.Join(", ", firstRow))})";
        return FileErrors.In(
            path,
            $"there is no column '{CsvText.Shorten(labelColumn)}'; --label-column takes an index from 0 to {firstRow.Length - 1}{names}"
        );
    }

    private static InputException Ambiguous(string path, string[] firstRow, string labelColumn, int index, int named) =>
        FileErrors.In(
            path,
            $"--label-column {labelColumn} is the index of column '{CsvText.Shorten(firstRow[index])}' and the name of column {named}; "
                + $"say '{CsvText.Shorten(firstRow[index])}' or {named}"
        );

    private static InputException Twice(string path, string name, IEnumerable<int> columns) =>
        FileErrors.In(
            path,
            $"'{CsvText.Shorten(name)}' is the name of columns {string.Join(" and ", columns)} (the first is 0), "
                + "of which one holds the labels; drop or rename the others"
        );

    /// <summary>Refuses a feature of the target's name, which would most likely tell a model its answers.</summary>
    private void RequireTargetOnce(string path)
    {
        if (HasHeader && TargetTwin() is >= 0 and var twin && _firstRow[LabelIndex].Length > 0)
            throw Twice(path, _firstRow[LabelIndex], new[] { LabelIndex, twin }.Order());
    }

    /// <summary>A feature of the target's name, or -1.</summary>
    private int TargetTwin() =>
        Array.FindIndex([.. _firstRow.Index()], column => column.Index != LabelIndex && column.Item == _firstRow[LabelIndex]);
}
