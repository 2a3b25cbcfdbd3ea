using System.Runtime.InteropServices;

namespace Distributed.Data.Formats.Csv;

/// <summary>The numbers and the labels of a CSV file.</summary>
internal sealed class CsvTable
{
    private readonly List<double> _features;
    private readonly bool _readsLabels;

    private CsvTable(string path, CsvLayout layout, bool readsLabels, int capacity)
    {
        _readsLabels = readsLabels;
        _features = new List<double>(capacity);
        Path = path;
        Layout = layout;
        Labels = new CsvLabels(path);
    }

    /// <summary>Where it was read from.</summary>
    public string Path { get; }

    /// <summary>The columns.</summary>
    public CsvLayout Layout { get; }

    /// <summary>[rows], the label of each row; none if they are left aside.</summary>
    public CsvLabels Labels { get; }

    /// <summary>Number of rows, the header not counted.</summary>
    public int RowCount => _features.Count / Layout.FeatureCount;

    /// <summary>
    /// [rows, Layout.FeatureCount], the numbers in the order of <see cref="CsvLayout.Features"/>; each is finite, also as a 32-bit float.
    /// </summary>
    public ReadOnlySpan<double> Features => CollectionsMarshal.AsSpan(_features);

    /// <summary>Reads the text of a file.</summary>
    /// <exception cref="InputException">The text is bad.</exception>
    public static CsvTable Parse(string path, ReadOnlySpan<byte> text, DataOptions options)
    {
        var source = CsvSource.Of(path, text, options.DecimalComma);
        return Parse(source, CsvLayout.Detect(source, options.LabelColumn, options.Header), readsLabels: true);
    }

    /// <summary>Reads text of a known layout.</summary>
    /// <param name="source">The text.</param>
    /// <param name="layout">Its columns.</param>
    /// <param name="readsLabels">Whether the column of the labels counts; otherwise it may hold anything.</param>
    /// <exception cref="InputException">The text is bad.</exception>
    public static CsvTable Parse(CsvSource source, CsvLayout layout, bool readsLabels)
    {
        // A row has at most one feature more than separators.
        var table = new CsvTable(source.Path, layout, readsLabels, capacity: source.Text.Count(source.Dialect.Separator));
        var reader = source.Read();
        for (var isHeader = layout.HasHeader; table.TryReadRow(ref reader, isHeader, out var isBlank); )
            isHeader &= isBlank;
        if (table.RowCount == 0)
            throw FileErrors.In(source.Path, "there is a header but no row; a dataset needs samples");
        if (!layout.IsInOrder)
            table.Reorder();
        return table;
    }

    /// <summary>Brings the numbers of each row from the order of the file into the one in which they are taken.</summary>
    private void Reorder()
    {
        int[] places = [.. Layout.Features];
        var row = new double[places.Length];
        for (var rest = CollectionsMarshal.AsSpan(_features); !rest.IsEmpty; rest = rest[row.Length..])
        {
            rest[..row.Length].CopyTo(row);
            for (var feature = 0; feature < places.Length; feature++)
                rest[feature] = row[places[feature]];
        }
    }

    private bool TryReadRow(ref CsvReader reader, bool isHeader, out bool isBlank)
    {
        isBlank = false;
        for (var column = 0; reader.TryRead(out var cell); column++)
        {
            isBlank = column == 0 && CsvLayout.IsBlankRow(cell);
            if (isBlank)
                return true;
            if (column == Layout.ColumnCount || (cell.EndsRecord && column != Layout.ColumnCount - 1))
                throw Ragged(reader, cell, column);
            if (!isHeader)
                AddCell(cell, column, reader.Line);
            if (cell.EndsRecord)
                return true;
        }

        return false;
    }

    private void AddCell(CsvCell cell, int column, int line)
    {
        if (column == Layout.LabelIndex && _readsLabels)
            Labels.Add(cell, line);
        else if (column != Layout.LabelIndex)
            _features.Add(Number(cell.Text, column, line));
    }

    private double Number(ReadOnlySpan<byte> text, int column, int line) =>
        Layout.Dialect.TryParse(text, out var value) && float.IsFinite((float)value)
            ? value
            : throw FileErrors.AtLine(Path, line, $"{Layout.Describe(column)}: {Reason(text, value)}");

    private string Reason(ReadOnlySpan<byte> text, double value)
    {
        if (text.Trim((byte)' ').IsEmpty)
            return "the cell is empty; every feature needs a number";
        var shown = CsvText.Shorten(text);
        if (double.IsNaN(value))
            return $"'{shown}' is not a usable number; drop the row or fill the gap";
        if (value != 0)
            return $"{shown} does not fit in a 32-bit float";
        var hint = Layout.Dialect.WouldBeNumber(text) ? "; if it has a decimal comma, say --decimal-comma on" : "";
        return $"'{shown}' is not a number{hint}";
    }

    private InputException Ragged(CsvReader reader, CsvCell cell, int column)
    {
        var line = reader.Line;
        while (!cell.EndsRecord && reader.TryRead(out cell))
            column++;
        return FileErrors.AtLine(Path, line, $"the row has {column + 1} cells, but the first row has {Layout.ColumnCount}");
    }
}
