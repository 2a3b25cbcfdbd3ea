using System.Globalization;

namespace Distributed.Data.Formats.Csv;

/// <summary>Tells whether the first row of a CSV file names the columns.</summary>
internal static class CsvHeader
{
    // Fewer numbers in a row may as well be a sample.
    private const int FewestNumbered = 3;

    private delegate bool CellTest(CsvCell cell);

    /// <summary>
    /// It does if none of its features is a number, or if its label is text above labels that are all numbers: the columns of such a
    /// table have numbers for names.
    /// </summary>
    /// <param name="path">Where the text comes from.</param>
    /// <param name="text">The whole text.</param>
    /// <param name="firstRow">Its first row.</param>
    /// <param name="labelIndex">The column of the labels; -1 if there is none.</param>
    public static bool IsIn(string path, ReadOnlySpan<byte> text, string[] firstRow, int labelIndex) =>
        !firstRow.Where((_, column) => column != labelIndex).Any(IsNumber) || IsTextAboveNumbers(path, text, firstRow, labelIndex);

    /// <summary>
    /// Refuses a first row that is as likely a header as a sample: 0, 1, 2 and so on, as programs number columns that have no names,
    /// perhaps with a text over the labels that is no label of another row.
    /// </summary>
    /// <exception cref="InputException">Only a person can tell.</exception>
    public static void RequireCertain(string path, int line, ReadOnlySpan<byte> text, string[] firstRow, int labelIndex)
    {
        if (firstRow.Length < FewestNumbered || !firstRow.Index().All(cell => cell.Index == labelIndex || IsItsIndex(cell)))
            return;
        var label = firstRow[labelIndex];
        if (!IsItsIndex((labelIndex, label)) && (IsNumber(label) || !AllBelow(path, text, labelIndex, cell => !IsText(cell, label))))
            return;
        throw FileErrors.AtLine(
            path,
            line,
            $"'{CsvText.Shorten(string.Join(',', firstRow))}' may be a header or a sample; say which with --header on or --header off"
        );
    }

    /// <summary>Whether text is a number.</summary>
    public static bool IsNumber(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private static bool IsItsIndex((int Index, string Text) cell) => cell.Text == cell.Index.ToString(CultureInfo.InvariantCulture);

    private static bool IsText(CsvCell cell, string text) => System.Text.Encoding.UTF8.GetString(cell.Text).Trim() == text;

    private static bool IsTextAboveNumbers(string path, ReadOnlySpan<byte> text, string[] firstRow, int labelIndex) =>
        labelIndex >= 0
        && firstRow[labelIndex].Length > 0
        && !IsNumber(firstRow[labelIndex])
        && AllBelow(path, text, labelIndex, cell => CsvNumber.TryParse(cell.Text, out _));

    /// <summary>Whether there are rows below the first one, and their cells of a column all pass a test.</summary>
    private static bool AllBelow(string path, ReadOnlySpan<byte> text, int column, CellTest test)
    {
        var reader = new CsvReader(path, text);
        int row = 0,
            at = 0;
        while (reader.TryRead(out var cell))
        {
            if (at == 0 && CsvLayout.IsBlankRow(cell))
                continue;
            var isMissing = cell.EndsRecord && at < column;
            if (row > 0 && (isMissing || (at == column && !test(cell))))
                return false;
            (row, at) = cell.EndsRecord ? (row + 1, 0) : (row, at + 1);
        }

        return row > 1;
    }
}
