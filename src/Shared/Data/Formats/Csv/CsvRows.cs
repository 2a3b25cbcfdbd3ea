using Distributed.Data.Tables;

namespace Distributed.Data.Formats.Csv;

/// <summary>Puts consecutive rows of text into the columns of a table.</summary>
internal sealed class CsvRows
{
    private readonly RawTable _table;
    private readonly TableLayout _layout;
    private readonly CellRules _rules;
    private readonly ColumnStretch[] _features;
    private readonly ColumnStretch?[] _numbersAt; // [columns], where a number is most likely and needs nothing but its value
    private readonly LabelStretch?[] _labelsAt; // [columns], where a number needs nothing but its value once there are many
    private readonly TargetStretches _targets;

    /// <summary>Begins a stretch of rows.</summary>
    /// <param name="table">The table.</param>
    /// <param name="layout">Its columns.</param>
    /// <param name="rules">What becomes of cells.</param>
    /// <param name="readsLabels">Whether the column of the labels counts; otherwise it may hold anything.</param>
    /// <param name="firstRow">The first row.</param>
    public CsvRows(RawTable table, TableLayout layout, CellRules rules, bool readsLabels, int firstRow)
    {
        _table = table;
        _layout = layout;
        _rules = rules;
        _features = [.. layout.Features.Select((_, feature) => table.Stretch(feature, firstRow, rules))];
        _targets = new TargetStretches(table, layout, rules, readsLabels, firstRow);
        _numbersAt = new ColumnStretch?[layout.ColumnCount];
        _labelsAt = new LabelStretch?[layout.ColumnCount];
        if (rules.Dialect.HasDecimalCommas)
            return;
        for (var column = 0; column < _labelsAt.Length; column++)
            _labelsAt[column] = _targets.LabelsOf(column);
        foreach (var (feature, column) in layout.Features.Index())
        {
            if (_features[feature].TakesNumbers)
                _numbersAt[column] = _features[feature];
        }
    }

    /// <summary>Reads them; any thread may.</summary>
    /// <exception cref="InputException">A cell is bad, or a row has more or fewer cells than the first.</exception>
    public void Read(CsvReader reader)
    {
        while (TryReadRow(ref reader)) { }
        foreach (var stretch in _features)
            stretch.End();
        _targets.End();
    }

    /// <summary>Adds what was read to the table; stretches come in the order of their rows.</summary>
    /// <param name="rows">Number of rows that it should be.</param>
    public void Join(int rows)
    {
        if (_features[0].Count != rows)
            throw new InvalidOperationException($"{_features[0].Count} rows were read where {rows} were counted.");
        foreach (var (feature, stretch) in _features.Index())
            _table.Columns[feature].Join(stretch);
        _targets.Join();
    }

    private bool TryReadRow(ref CsvReader reader)
    {
        var last = _numbersAt.Length - 1;
        for (var column = 0; ; column++)
        {
            var numbers = _numbersAt[column];
            var labels = _labelsAt[column];
            var isLabel = labels is { AreNumbers: true };
            if ((numbers is not null || isLabel) && reader.TryReadNumber(out var number, out var endsRecord))
            {
                if (endsRecord != (column == last))
                    throw Ragged(reader, endsRecord, column);
                if (isLabel)
                    labels!.Add(number);
                else
                    numbers!.Add(number);
                if (endsRecord)
                    return true;
                continue;
            }

            if (!reader.TryRead(out var cell))
                return false;
            if (column == 0 && cell.IsBlankRecord)
                return true;
            if (cell.EndsRecord != (column == last))
                throw Ragged(reader, cell.EndsRecord, column);
            Add(cell, column, reader.Place);
            if (cell.EndsRecord)
                return true;
        }
    }

    private void Add(CsvCell cell, int column, long place)
    {
        var feature = _layout.FeatureOf(column);
        if (feature >= 0)
            _features[feature].Add(cell, place);
        else
            _targets.Add(cell, column, place);
    }

    private InputException Ragged(CsvReader reader, bool endsRecord, int column)
    {
        var place = reader.Place;
        while (!endsRecord && reader.TryRead(out var cell))
        {
            column++;
            endsRecord = cell.EndsRecord;
        }

        return _rules.Places.Refuse(place, $"the row has {column + 1} cells, but the first row has {_layout.ColumnCount}");
    }
}
