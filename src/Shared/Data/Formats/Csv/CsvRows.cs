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
    private readonly LabelStretch? _labels;
    private readonly int _numericLabel = -1; // the column of the labels, if a number there needs nothing but its value once there are many

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
        _labels = readsLabels ? table.Labels.Stretch(firstRow) : null;
        _numbersAt = new ColumnStretch?[layout.ColumnCount];
        if (rules.Dialect.HasDecimalCommas)
            return;
        _numericLabel = readsLabels ? layout.LabelIndex : -1;
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
    }

    /// <summary>Adds what was read to the table; stretches come in the order of their rows.</summary>
    /// <param name="rows">Number of rows that it should be.</param>
    public void Join(int rows)
    {
        if (_features[0].Count != rows)
            throw new InvalidOperationException($"{_features[0].Count} rows were read where {rows} were counted.");
        foreach (var (feature, stretch) in _features.Index())
            _table.Columns[feature].Join(stretch);
        if (_labels is not null)
            _table.Labels.Join(_labels);
    }

    private bool TryReadRow(ref CsvReader reader)
    {
        var last = _numbersAt.Length - 1;
        for (var column = 0; ; column++)
        {
            var numbers = _numbersAt[column];
            var isLabel = column == _numericLabel && _labels!.AreNumbers;
            if ((numbers is not null || isLabel) && reader.TryReadNumber(out var number, out var endsRecord))
            {
                if (endsRecord != (column == last))
                    throw Ragged(reader, endsRecord, column);
                if (isLabel)
                    _labels!.Add(number);
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
        else if (column == _layout.LabelIndex)
            _labels?.Add(cell, place);
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
