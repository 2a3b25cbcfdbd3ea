using System.Globalization;
using Distributed.Data.Tables;

namespace Distributed.Data.Formats.Csv;

/// <summary>Tells whether the first row of a CSV file names the columns.</summary>
internal static class CsvHeader
{
    // Fewer numbers in a row may as well be a sample.
    private const int FewestNumbered = 3;

    // A column of numbers shows early that it is one.
    private const int RowsLookedAt = 1000;

    private delegate bool CellTest(CsvCell cell);

    /// <summary>
    /// It does if none of its features is a number and a column has text there above numbers, or if the label alone is text above labels
    /// that are all numbers: the columns of such a table have numbers for names.
    /// </summary>
    /// <param name="source">The text.</param>
    /// <param name="firstRow">Its first row.</param>
    /// <param name="labelIndex">The column of the labels; -1 if there is none.</param>
    /// <exception cref="InputException">All rows have the same columns of words, so that only a person can tell.</exception>
    public static bool IsIn(CsvSource source, string[] firstRow, int labelIndex)
    {
        if (firstRow.Where((_, column) => column != labelIndex).Any(source.Dialect.IsNumber))
            return IsTextAboveNumbers(source, firstRow, labelIndex);
        var dialect = source.Dialect;
        var below = NumbersBelow(source, firstRow.Length, out var hasRows);
        if (!hasRows || firstRow.Zip(below).Any(column => column.Second && !dialect.IsNumber(column.First)))
            return true;
        throw FileErrors.In(
            source.Path,
            $"the first row, '{Shown(source, firstRow)}', may name the columns or be a row of words like the others; "
                + "say which with --header on or --header off"
        );
    }

    /// <summary>
    /// Refuses a first row that is as likely a header as a sample: 0, 1, 2 and so on, as programs number columns that have no names,
    /// perhaps with a text over the labels that is no label of another row.
    /// </summary>
    /// <exception cref="InputException">Only a person can tell.</exception>
    public static void RequireCertain(CsvSource source, string[] firstRow, int labelIndex)
    {
        if (firstRow.Length < FewestNumbered || !firstRow.Index().All(cell => cell.Index == labelIndex || IsItsIndex(cell)))
            return;
        var label = firstRow[labelIndex];
        var isTextHereAlone = !source.Dialect.IsNumber(label) && AllBelow(source, labelIndex, cell => !IsText(cell, label));
        if (!IsItsIndex((labelIndex, label)) && !isTextHereAlone)
            return;
        throw source.RefuseFirstRow($"'{Shown(source, firstRow)}' may be a header or a sample; say which with --header on or --header off");
    }

    private static string Shown(CsvSource source, string[] firstRow) =>
        CsvText.Shorten(string.Join((char)source.Dialect.Separator, firstRow));

    /// <summary>[columns], whether the rows below the first one, as far as they are looked at, hold what begins like numbers, and gaps.</summary>
    private static bool[] NumbersBelow(CsvSource source, int columns, out bool hasRows)
    {
        var gaps = new GapTexts(texts: null);
        var hasNumber = new bool[columns];
        var hasText = new bool[columns];
        var row = 0;
        foreach (var block in source.BlocksBelow())
        {
            if (row == RowsLookedAt)
                break;
            var reader = source.Read(block);
            var column = 0;
            while (row < RowsLookedAt && reader.TryRead(out var cell))
            {
                if (column == 0 && cell.IsBlankRecord)
                    continue;
                var text = cell.Text.Trim((byte)' ');
                if (column < columns && !gaps.Contains(text))
                    (LooksLikeNumber(text) ? hasNumber : hasText)[column] = true;
                (row, column) = cell.EndsRecord ? (row + 1, 0) : (row, column + 1);
            }
        }

        hasRows = row > 0;
        return [.. hasNumber.Zip(hasText, (number, text) => number && !text)];
    }

    // Dates, and numbers that are written in another way, tell a header as well.
    private static bool LooksLikeNumber(ReadOnlySpan<byte> text) => text.TrimStart("+-.,"u8) is [>= (byte)'0' and <= (byte)'9', ..];

    private static bool IsItsIndex((int Index, string Text) cell) => cell.Text == cell.Index.ToString(CultureInfo.InvariantCulture);

    private static bool IsText(CsvCell cell, string text) => System.Text.Encoding.UTF8.GetString(cell.Text).Trim() == text;

    private static bool IsTextAboveNumbers(CsvSource source, string[] firstRow, int labelIndex)
    {
        var dialect = source.Dialect;
        return labelIndex >= 0
            && firstRow[labelIndex].Length > 0
            && !dialect.IsNumber(firstRow[labelIndex])
            && AllBelow(source, labelIndex, cell => dialect.TryParse(cell.Text, out _));
    }

    /// <summary>Whether there are rows below the first one, and their cells of a column all pass a test.</summary>
    private static bool AllBelow(CsvSource source, int column, CellTest test)
    {
        var hasRows = false;
        foreach (var block in source.BlocksBelow())
        {
            var reader = source.Read(block);
            var at = 0;
            while (reader.TryRead(out var cell))
            {
                if (at == 0 && cell.IsBlankRecord)
                    continue;
                hasRows = true;
                var isMissing = cell.EndsRecord && at < column;
                if (isMissing || (at == column && !test(cell)))
                    return false;
                at = cell.EndsRecord ? 0 : at + 1;
            }
        }

        return hasRows;
    }
}
