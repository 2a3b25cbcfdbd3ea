using System.Runtime.InteropServices;

namespace Distributed.Data;

/// <summary>The numbers and the labels of a CSV file.</summary>
internal sealed class CsvTable
{
    private readonly List<double> _features;

    private CsvTable(string path, CsvLayout layout, int capacity)
    {
        _features = new List<double>(capacity);
        Path = path;
        Layout = layout;
        Labels = new CsvLabels(path);
    }

    /// <summary>Where it was read from.</summary>
    public string Path { get; }

    /// <summary>The columns.</summary>
    public CsvLayout Layout { get; }

    /// <summary>[rows], the label of each row.</summary>
    public CsvLabels Labels { get; }

    /// <summary>[rows, Layout.FeatureCount], the numbers; each is finite, also as a 32-bit float.</summary>
    public ReadOnlySpan<double> Features => CollectionsMarshal.AsSpan(_features);

    /// <summary>Reads a file.</summary>
    /// <exception cref="InputException">The file is bad.</exception>
    public static CsvTable Read(string path, string? labelColumn, bool? header) =>
        Parse(path, FileContent.Read(path).Span, labelColumn, header);

    /// <summary>Reads the text of a file.</summary>
    /// <exception cref="InputException">The text is bad.</exception>
    public static CsvTable Parse(string path, ReadOnlySpan<byte> text, string? labelColumn, bool? header)
    {
        var layout = CsvLayout.Detect(path, text, labelColumn, header);
        // A row has one feature less than cells: as many as commas.
        var table = new CsvTable(path, layout, capacity: text.Count((byte)','));
        var reader = new CsvReader(path, text);
        for (var isHeader = layout.HasHeader; table.TryReadRow(ref reader, isHeader, out var isBlank); )
            isHeader &= isBlank;
        return table.Labels.Count > 0 ? table : throw FileErrors.In(path, "there is a header but no row; a dataset needs samples");
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
        if (column == Layout.LabelIndex)
            Labels.Add(cell, line);
        else
            _features.Add(Number(cell.Text, column, line));
    }

    private double Number(ReadOnlySpan<byte> text, int column, int line) =>
        CsvNumber.TryParse(text, out var value) && float.IsFinite((float)value)
            ? value
            : throw FileErrors.AtLine(Path, line, $"{Layout.Describe(column)}: {Reason(text, value)}");

    private static string Reason(ReadOnlySpan<byte> text, double value)
    {
        if (text.Trim((byte)' ').IsEmpty)
            return "the cell is empty; every feature needs a number";
        var shown = CsvText.Shorten(text);
        if (double.IsNaN(value))
            return $"'{shown}' is not a usable number; drop the row or fill the gap";
        return value == 0 ? $"'{shown}' is not a number" : $"{shown} does not fit in a 32-bit float";
    }

    private InputException Ragged(CsvReader reader, CsvCell cell, int column)
    {
        var line = reader.Line;
        while (!cell.EndsRecord && reader.TryRead(out cell))
            column++;
        return FileErrors.AtLine(Path, line, $"the row has {column + 1} cells, but the first row has {Layout.ColumnCount}");
    }
}
