using Distributed.Data.Formats.Csv;

namespace Distributed.Data.Tables;

/// <summary>Consecutive rows of the columns that are no features: labels, and weights.</summary>
internal sealed class TargetStretches
{
    private readonly RawTable _table;
    private readonly TableLayout _layout;
    private readonly LabelStretch[] _labels;
    private readonly WeightStretch? _weights;

    /// <summary>Begins a stretch of rows.</summary>
    /// <param name="table">The table.</param>
    /// <param name="layout">Its columns.</param>
    /// <param name="rules">How numbers are written, and how places are named.</param>
    /// <param name="readsLabels">Whether the columns of labels count; otherwise they may hold anything.</param>
    /// <param name="firstRow">The first row.</param>
    public TargetStretches(RawTable table, TableLayout layout, CellRules rules, bool readsLabels, int firstRow)
    {
        (_table, _layout) = (table, layout);
        _labels = readsLabels ? [.. layout.Labels.Select((_, label) => table.Targets[label].Stretch(firstRow))] : [];
        if (layout.WeightIndex >= 0)
            _weights = new WeightStretch(layout.Describe(layout.WeightIndex), table.Weights, firstRow, rules);
    }

    /// <summary>The columns that are read.</summary>
    public IEnumerable<int> Columns => _layout.Labels.Take(_labels.Length).Concat(_weights is null ? [] : [_layout.WeightIndex]);

    /// <summary>The labels of a column; null if it holds none that are read.</summary>
    public LabelStretch? LabelsOf(int column) =>
        _labels.Length > 0 && _layout.LabelOf(column) is >= 0 and var label ? _labels[label] : null;

    /// <summary>Adds a cell of any column; what belongs to none of these is left aside.</summary>
    /// <exception cref="InputException">It is bad.</exception>
    public void Add(CsvCell cell, int column, long place)
    {
        LabelsOf(column)?.Add(cell, place);
        if (column == _layout.WeightIndex)
            _weights?.Add(cell, place);
    }

    /// <summary>Says that all rows are there.</summary>
    public void End()
    {
        foreach (var labels in _labels)
            labels.End();
        _weights?.End();
    }

    /// <summary>Adds what was read to the table; stretches come in the order of their rows.</summary>
    public void Join()
    {
        foreach (var (label, stretch) in _labels.Index())
            _table.Targets[label].Join(stretch);
    }
}
