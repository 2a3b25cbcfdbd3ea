using Distributed.Data.Tables;

namespace Distributed.Data.Formats.Csv;

/// <summary>Reads the rows of a CSV file into columns.</summary>
internal ref struct CsvTable
{
    private readonly CsvSource _source;
    private readonly CsvLayout _layout;
    private readonly GapTexts _gaps;
    private readonly RawTable _table;
    private readonly bool _readsLabels;
    private readonly RowSplit _split;

    private CsvTable(CsvSource source, CsvLayout layout, ColumnKind?[] kinds, GapTexts gaps, bool readsLabels, RowSplit split)
    {
        _source = source;
        _layout = layout;
        _gaps = gaps;
        _readsLabels = readsLabels;
        _split = split;
        string[] names = [.. layout.Features.Select(layout.Describe)];
        // Of several columns of labels, messages tell which one they speak of.
        string?[] targets = layout.Labels.Count > 1 ? [.. layout.Labels.Select(layout.Describe)] : [null];
        _table = new RawTable(source.Path, [.. kinds.Select(kind => new RawColumn(kind))], names, source.Dialect, targets);
    }

    /// <summary>Reads a training set, and finds out what its columns hold.</summary>
    /// <param name="source">The text.</param>
    /// <param name="layout">Its columns.</param>
    /// <param name="options">What is said of the columns.</param>
    /// <param name="split">Which rows are held back, so that they say nothing about the columns.</param>
    /// <exception cref="InputException">The text is bad, or a column may be two things.</exception>
    public static RawTable ReadTraining(CsvSource source, CsvLayout layout, DataOptions options, RowSplit split)
    {
        var gaps = new GapTexts(options.MissingTexts);
        var kinds = layout.Kinds(source.Path, options);
        var table = Read(source, layout, kinds, gaps, readsLabels: true, split);
        var found = Decide(table, layout.Dialect, split);
        if (found.Contains(ColumnKind.Category) && kinds.Contains(null))
            table = Read(source, layout, found, gaps, readsLabels: true, split);
        RequireNumbers(table, layout.Dialect);
        return table;
    }

    /// <summary>Reads other rows of columns that are known.</summary>
    /// <param name="source">The text.</param>
    /// <param name="layout">Its columns.</param>
    /// <param name="preprocessing">Knows what they hold.</param>
    /// <param name="readsLabels">Whether the column of the labels counts; otherwise it may hold anything.</param>
    /// <exception cref="InputException">The text is bad.</exception>
    public static RawTable Read(CsvSource source, CsvLayout layout, Preprocessing preprocessing, bool readsLabels)
    {
        ColumnKind?[] kinds =
        [
            .. Enumerable
                .Range(0, layout.Features.Count)
                .Select(feature =>
                    (ColumnKind?)(preprocessing.Table?.Columns[feature] is CategoryEncoding ? ColumnKind.Category : ColumnKind.Number)
                ),
        ];
        var table = Read(source, layout, kinds, new GapTexts(preprocessing.Table?.Missing), readsLabels, split: default);
        RequireNumbers(table, layout.Dialect);
        return table;
    }

    private static RawTable Read(CsvSource source, CsvLayout layout, ColumnKind?[] kinds, GapTexts gaps, bool readsLabels, RowSplit split)
    {
        var rows = new CsvTable(source, layout, kinds, gaps, readsLabels, split);
        var reader = source.Read();
        for (var isHeader = layout.HasHeader; rows.TryReadRow(ref reader, isHeader, out var isBlank); )
            isHeader &= isBlank;
        return rows._table.RowCount > 0
            ? rows._table
            : throw FileErrors.In(source.Path, "there is a header but no row; a dataset needs samples");
    }

    private static ColumnKind?[] Decide(RawTable table, CsvDialect dialect, RowSplit split)
    {
        var trainRows = split.Rows(DataPart.Train, table.RowCount);
        List<string> problems = [];
        var kinds = new ColumnKind?[table.Columns.Count];
        for (var column = 0; column < kinds.Length; column++)
        {
            string? problem = null;
            kinds[column] = table.Columns[column].Kind ?? ColumnKinds.Decide(table.Columns[column], trainRows, dialect, out problem);
            if (problem is not null)
                problems.Add($"{table.Names[column]}: {problem}");
        }

        return problems.Count == 0 ? kinds : throw FileErrors.AllIn(table.Path, problems);
    }

    private static void RequireNumbers(RawTable table, CsvDialect dialect)
    {
        List<string> problems = [];
        foreach (var (column, name) in table.Columns.Zip(table.Names))
        {
            if (column is not { Kind: not ColumnKind.Category, Intruder: var (text, line) })
                continue;
            var hint = dialect.WouldBeNumber(System.Text.Encoding.UTF8.GetBytes(text))
                ? "; if it has a decimal comma, say --decimal-comma on"
                : "";
            problems.Add($"line {line}: {name}: '{CsvText.Shorten(text)}' is not a number{hint}");
        }

        if (problems.Count > 0)
            throw FileErrors.AllIn(table.Path, problems);
    }

    private readonly bool TryReadRow(ref CsvReader reader, bool isHeader, out bool isBlank)
    {
        isBlank = false;
        for (var column = 0; reader.TryRead(out var cell); column++)
        {
            isBlank = column == 0 && CsvLayout.IsBlankRow(cell);
            if (isBlank)
                return true;
            if (column == _layout.ColumnCount || (cell.EndsRecord && column != _layout.ColumnCount - 1))
                throw Ragged(reader, cell, column);
            if (!isHeader)
                Add(cell, column, reader.Line);
            if (cell.EndsRecord)
                return true;
        }

        return false;
    }

    private readonly void Add(CsvCell cell, int column, int line)
    {
        var feature = _layout.FeatureOf(column);
        if (feature >= 0)
            Add(cell, _table.Columns[feature], line);
        else if (_layout.LabelOf(column) is >= 0 and var label)
            AddLabel(cell, label, line);
        else if (column == _layout.WeightIndex)
            _table.Weights.Add(Weight(cell, column, line));
    }

    private readonly void AddLabel(CsvCell cell, int label, int line)
    {
        if (_readsLabels)
            _table.Targets[label].Add(cell, line);
    }

    private readonly float Weight(CsvCell cell, int column, int line)
    {
        var text = cell.Text.Trim((byte)' ');
        if (_source.Dialect.TryParse(text, out var weight) && weight >= 0 && float.IsFinite((float)weight))
            return (float)weight;
        var shown = CsvText.Shorten(CsvText.Of(cell, _source.Path, line));
        throw FileErrors.AtLine(
            _source.Path,
            line,
            $"{_layout.Describe(column)}: '{shown}' is no weight; write how much the sample counts, a number of at least 0"
        );
    }

    private readonly void Add(CsvCell cell, RawColumn column, int line)
    {
        var text = cell.Text.Trim((byte)' ');
        if (column.Kind == ColumnKind.Category)
        {
            if (_gaps.Contains(text))
                column.AddGap();
            else
                column.Add(CsvText.Of(cell, _source.Path, line), line);
            return;
        }

        var isNumber = _source.Dialect.TryParse(text, out var value) && float.IsFinite((float)value);
        if ((!isNumber || _gaps.IncludeNumbers) && _gaps.Contains(text))
            column.AddGap();
        else if (isNumber)
            column.Add(value);
        else if (double.IsNaN(value) || value == 0)
            column.AddIntruder(CsvText.Of(cell, _source.Path, line), line, Decides(column));
        else
            throw FileErrors.AtLine(_source.Path, line, $"{NameOf(column)}: {CsvText.Shorten(text)} does not fit in a 32-bit float");
    }

    // Rows that are held back say nothing about what a column holds.
    private readonly bool Decides(RawColumn column) => _split.PartOf(column.Values.Length) == DataPart.Train;

    private readonly string NameOf(RawColumn column) => _table.Names[_table.Columns.Index().First(other => other.Item == column).Index];

    private readonly InputException Ragged(CsvReader reader, CsvCell cell, int column)
    {
        var line = reader.Line;
        while (!cell.EndsRecord && reader.TryRead(out cell))
            column++;
        return FileErrors.AtLine(_source.Path, line, $"the row has {column + 1} cells, but the first row has {_layout.ColumnCount}");
    }
}
