using System.Globalization;

namespace Distributed.Data.Formats.Csv;

/// <summary>Tells text whose cells are separated by something else than commas, as spreadsheets of many countries write it.</summary>
internal static class CsvSeparator
{
    private const byte Comma = (byte)',';
    private const byte Semicolon = (byte)';';
    private const byte Quote = (byte)'"';

    // A file whose first rows all look so is taken for one.
    private const int RowsSeen = 100;

    // More characters than any program writes for a number.
    private const int MostOfNumber = 64;

    /// <summary>Whether a character separates cells in other dialects.</summary>
    public static bool IsOther(byte character) => character is Semicolon or (byte)'\t' or (byte)'|';

    /// <summary>
    /// Refuses text whose first row has no comma but another separator, or whose rows are numbers with decimal commas between semicolons.
    /// </summary>
    /// <param name="path">Where the text comes from.</param>
    /// <param name="line">The line of the first row.</param>
    /// <param name="text">The text from the first row on.</param>
    /// <exception cref="InputException">The separator is not a comma.</exception>
    public static void RequireComma(string path, int line, ReadOnlySpan<byte> text)
    {
        var (hasComma, other) = Separators(text);
        if (other is { } separator && !hasComma)
            throw Refusal(path, line, separator);
        if (other is not null && HasDecimalCommas(text))
        {
            const string reason = "the cells are separated by ';' and numbers have decimal commas; use ',' and '.' for these";
            throw FileErrors.AtLine(path, line, reason);
        }
    }

    /// <summary>Names the separator that was seen.</summary>
    public static InputException Refusal(string path, int line, byte separator)
    {
        var name = separator == '\t' ? "a tab" : $"'{(char)separator}'";
        return FileErrors.AtLine(path, line, $"the cells are separated by {name}, not by commas; save the file as CSV with commas");
    }

    /// <summary>What stands between the cells of the first row, outside of quotes.</summary>
    private static (bool HasComma, byte? Other) Separators(ReadOnlySpan<byte> text)
    {
        var isQuoted = false;
        (bool HasComma, byte? Other) seen = default;
        foreach (var character in text)
        {
            if (character == Quote)
                isQuoted = !isQuoted;
            if (isQuoted)
                continue;
            if (character is (byte)'\r' or (byte)'\n')
                break;
            seen.HasComma |= character == Comma;
            if (seen.Other is null && IsOther(character))
                seen.Other = character;
        }

        return seen;
    }

    /// <summary>Whether every comma of the first rows stands inside a number that semicolons enclose, such as <c>0,5;yes</c>.</summary>
    private static bool HasDecimalCommas(ReadOnlySpan<byte> text)
    {
        var hasCommas = false;
        for (var rows = 0; rows < RowsSeen && !text.IsEmpty; rows++)
        {
            var row = Row(text);
            text = text[Math.Min(row.Length + 1, text.Length)..];
            if (row.IsEmpty)
                continue;
            if (!row.Contains(Semicolon) || row.Contains(Quote))
                return false;
            foreach (var range in row.Split(Semicolon))
            {
                var cell = row[range];
                if (cell.Contains(Comma) && !IsDecimal(cell))
                    return false;
                hasCommas |= cell.Contains(Comma);
            }
        }

        return hasCommas;
    }

    /// <summary>Whether a cell is a number once its only comma is a point.</summary>
    private static bool IsDecimal(ReadOnlySpan<byte> cell)
    {
        Span<byte> number = stackalloc byte[MostOfNumber];
        if (cell.Length > number.Length || cell.Count(Comma) != 1)
            return false;
        cell.CopyTo(number);
        number[cell.IndexOf(Comma)] = (byte)'.';
        return double.TryParse(number[..cell.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out _);
    }

    private static ReadOnlySpan<byte> Row(ReadOnlySpan<byte> text) => text.IndexOfAny("\r\n"u8) is >= 0 and var end ? text[..end] : text;
}
