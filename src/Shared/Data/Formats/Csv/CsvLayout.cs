using System.Globalization;

namespace Distributed.Data.Formats.Csv;

/// <summary>The columns of a CSV file: how many, which one holds the labels, and what they are called.</summary>
internal sealed class CsvLayout
{
    private readonly string[] _firstRow;

    private CsvLayout(string[] firstRow, bool hasHeader, int labelIndex, IReadOnlyList<int>? columns = null)
    {
        _firstRow = firstRow;
        HasHeader = hasHeader;
        LabelIndex = labelIndex;
        columns ??= [.. Enumerable.Range(0, ColumnCount).Where(column => column != labelIndex)];
        Features = [.. columns.Select(column => labelIndex >= 0 && column > labelIndex ? column - 1 : column)];
    }

    /// <summary>Whether the first row names the columns.</summary>
    public bool HasHeader { get; }

    /// <summary>The column of the labels, from 0; -1 if there is none.</summary>
    public int LabelIndex { get; }

    /// <summary>Number of columns, the labels' included.</summary>
    public int ColumnCount => _firstRow.Length;

    /// <summary>Number of columns that hold features.</summary>
    public int FeatureCount => LabelIndex < 0 ? ColumnCount : ColumnCount - 1;

    /// <summary>For each feature that a model takes, its place among a row's features.</summary>
    public IReadOnlyList<int> Features { get; }

    /// <summary>The names of the columns; null if they have none.</summary>
    public ColumnNames? Names =>
        HasHeader ? new ColumnNames([.. _firstRow.Where((_, column) => column != LabelIndex)], _firstRow[LabelIndex]) : null;

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

    /// <summary>
    /// The layout of samples to predict: columns are found by their names where both sides have names, else by their order. The column of
    /// the targets may be there or not.
    /// </summary>
    /// <param name="path">Where the text comes from.</param>
    /// <param name="text">The whole text.</param>
    /// <param name="inputs">What the model takes.</param>
    /// <param name="labelColumn">The column to leave aside, by name or index; null for the training data's own or the last one.</param>
    /// <param name="header">Whether the first row names the columns; null to find out.</param>
    /// <exception cref="InputException">The columns are not those that the model takes.</exception>
    public static CsvLayout OfInputs(string path, ReadOnlySpan<byte> text, ModelInputs inputs, string? labelColumn, bool? header)
    {
        var firstRow = FirstRow(path, text, out _);
        var hasHeader = header ?? (IsNamed(firstRow, inputs) || LooksLikeHeader(firstRow, labelIndex: -1));
        return hasHeader && inputs.Columns is not null
            ? ByName(path, firstRow, inputs, inputs.Columns, labelColumn)
            : ByOrder(path, firstRow, hasHeader, inputs, labelColumn);
    }

    /// <summary>A column as messages name it.</summary>
    public string Describe(int column) => HasHeader ? $"column '{_firstRow[column]}'" : $"column {column} (the first is 0)";

    private static bool IsNamed(string[] firstRow, ModelInputs inputs) =>
        inputs.Columns is { } columns && columns.Features.Any(firstRow.Contains);

    private static CsvLayout ByName(string path, string[] firstRow, ModelInputs inputs, ColumnNames columns, string? labelColumn)
    {
        var labelIndex = labelColumn is null
            ? Array.IndexOf(firstRow, columns.Target)
            : FindLabels(path, firstRow, labelColumn, header: true);
        int[] places = [.. columns.Features.Select(name => Array.IndexOf(firstRow, name))];
        if (Array.IndexOf(places, -1) is >= 0 and var missing)
            throw FileErrors.In(path, $"there is no column '{CsvText.Shorten(columns.Features[missing])}', which {inputs.Model} takes");
        var extra = Enumerable.Range(0, firstRow.Length).Except(places).Where(column => column != labelIndex).ToList();
        if (extra.Count > 0)
        {
            throw FileErrors.In(
                path,
                $"column '{CsvText.Shorten(firstRow[extra[0]])}' is none that {inputs.Model} takes; "
                    + "drop it, or name the column of the targets with --label-column"
            );
        }

        return new CsvLayout(firstRow, hasHeader: true, labelIndex, places);
    }

    private static CsvLayout ByOrder(string path, string[] firstRow, bool hasHeader, ModelInputs inputs, string? labelColumn)
    {
        var features = inputs.Shape.Length;
        var labelIndex =
            labelColumn is not null ? FindLabels(path, firstRow, labelColumn, hasHeader)
            : firstRow.Length == features + 1 ? features
            : -1;
        var layout = new CsvLayout(firstRow, hasHeader, labelIndex);
        return layout.FeatureCount == features
            ? layout
            : throw FileErrors.In(
                path,
                $"a row has {layout.FeatureCount} features, {inputs.Model} takes {features}, with or without a column of targets"
            );
    }

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
