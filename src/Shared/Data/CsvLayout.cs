using System.Globalization;

namespace Distributed.Data;

/// <summary>The columns of a CSV file: how many, which one holds the labels, and what they are called.</summary>
internal sealed class CsvLayout
{
    private readonly string[] _firstRow;

    private CsvLayout(string[] firstRow, bool hasHeader, int labelIndex)
    {
        _firstRow = firstRow;
        HasHeader = hasHeader;
        LabelIndex = labelIndex;
    }

    /// <summary>Whether the first row names the columns.</summary>
    public bool HasHeader { get; }

    /// <summary>The column of the labels, from 0.</summary>
    public int LabelIndex { get; }

    /// <summary>Number of columns, the labels' included.</summary>
    public int ColumnCount => _firstRow.Length;

    /// <summary>Number of columns that hold features.</summary>
    public int FeatureCount => ColumnCount - 1;

    /// <summary>Whether a row's first cell is all of it and is empty; such rows are skipped.</summary>
    public static bool IsBlankRow(CsvCell firstCell) => firstCell is { EndsRecord: true, IsQuoted: false, Text.IsEmpty: true };

    /// <summary>Reads the layout off the first row.</summary>
    /// <param name="path">Where the text comes from.</param>
    /// <param name="text">The whole text.</param>
    /// <param name="labelColumn">A column's index from 0 or, if it is not an integer, its name; null for the last column.</param>
    /// <param name="header">Whether the first row names the columns; null: it does if none of its features is a number.</param>
    /// <exception cref="InputException">There is no such column, or there are too few.</exception>
    public static CsvLayout Detect(string path, ReadOnlySpan<byte> text, string? labelColumn, bool? header)
    {
        var firstRow = FirstRow(path, text, out var line);
        if (firstRow.Length < 2)
        {
            throw FileErrors.AtLine(path, line, "the row has 1 cell; a sample needs features and a label, with commas between them");
        }

        var labelIndex = labelColumn is null ? firstRow.Length - 1 : FindLabels(path, firstRow, labelColumn, header);
        var isNamed = labelColumn is not null && ParseIndex(labelColumn) is null;
        return new CsvLayout(firstRow, header ?? (isNamed || LooksLikeHeader(firstRow, labelIndex)), labelIndex);
    }

    /// <summary>A column as messages name it.</summary>
    public string Describe(int column) => HasHeader ? $"column '{_firstRow[column]}'" : $"column {column} (the first is 0)";

    /// <summary>The index among all columns of a feature's column.</summary>
    public int FeatureColumn(int feature) => feature < LabelIndex ? feature : feature + 1;

    private static string[] FirstRow(string path, ReadOnlySpan<byte> text, out int line)
    {
        var reader = new CsvReader(path, text);
        var cells = new List<string>();
        line = 1;
        while (reader.TryRead(out var cell))
        {
            if (cells.Count == 0 && IsBlankRow(cell))
                continue;
            line = reader.Line;
            cells.Add(CsvText.Of(cell, path, line));
            if (cell.EndsRecord)
                return [.. cells];
        }

        throw FileErrors.In(path, "the file has no rows; a dataset needs samples");
    }

    private static int FindLabels(string path, string[] firstRow, string labelColumn, bool? header)
    {
        var index = ParseIndex(labelColumn) ?? (header == false ? -1 : Array.IndexOf(firstRow, labelColumn));
        if (index >= 0 && index < firstRow.Length)
            return index;
        var names = header == false ? "" : $" or a name of the first row ({CsvText.Shorten(string.Join(", ", firstRow))})";
        throw FileErrors.In(
            path,
            $"there is no column '{labelColumn}'; --label-column takes an index from 0 to {firstRow.Length - 1}{names}"
        );
    }

    private static int? ParseIndex(string labelColumn) =>
        int.TryParse(labelColumn, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    private static bool LooksLikeHeader(string[] firstRow, int labelIndex) =>
        !firstRow
            .Where((_, column) => column != labelIndex)
            .Any(cell => double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out _));
}
