namespace Distributed.Data.Formats.Csv;

/// <summary>What stands between the cells of a text, and how its numbers are written.</summary>
/// <param name="Separator">A comma, a semicolon, a tab or a vertical bar.</param>
/// <param name="HasDecimalCommas">Whether numbers have a comma where others have a point.</param>
internal readonly record struct CsvDialect(byte Separator, bool HasDecimalCommas)
{
    private const byte Comma = (byte)',';
    private const byte Semicolon = (byte)';';
    private const byte Quote = (byte)'"';

    // A text whose first rows all look so is taken for one.
    private const int RowsSeen = 100;

    private static ReadOnlySpan<byte> Separating => ",;\t|"u8;

    /// <summary>Commas between cells, and points in numbers.</summary>
    public static CsvDialect Usual => new(Comma, HasDecimalCommas: false);

    /// <summary>
    /// Tells by the first row what separates the cells: a comma, if there is one outside of quotes, else the other separator that it has.
    /// Commas in cells are then just text. With decimal commas, it is never a comma.
    /// </summary>
    /// <param name="path">Where the text comes from.</param>
    /// <param name="line">The line of the first row.</param>
    /// <param name="text">The text from the first row on.</param>
    /// <param name="hasDecimalCommas">Whether numbers have decimal commas, as somebody has said.</param>
    /// <exception cref="InputException">The row has several separators, or numbers have decimal commas and nobody has said so.</exception>
    public static CsvDialect Detect(string path, long line, ReadOnlySpan<byte> text, bool hasDecimalCommas)
    {
        var seen = Separators(text);
        var hasComma = seen.Remove(Comma);
        foreach (var other in seen.Where(other => !hasDecimalCommas && (!hasComma || other == Semicolon)))
        {
            if (HasOnlyDecimalCommas(text, other))
            {
                throw FileErrors.AtLine(
                    path,
                    line,
                    $"the cells are separated by {Name(other)}, and numbers have decimal commas: say so with --decimal-comma on"
                );
            }
        }

        if (hasComma && !hasDecimalCommas)
            return Usual;
        if (seen.Count > 1)
        {
            var names = string.Join(" and ", seen.Select(Name));
            throw FileErrors.AtLine(path, line, $"{names} may each separate the cells; save the file as CSV with commas");
        }

        if (hasComma && seen.Count == 0)
        {
            throw FileErrors.AtLine(
                path,
                line,
                "the cells are separated by commas, which --decimal-comma on takes for parts of numbers; leave it out, or save the file with ';'"
            );
        }

        return new CsvDialect(seen.Count == 0 ? Comma : seen[0], hasDecimalCommas);
    }

    /// <summary>Reads a number.</summary>
    /// <returns>False, with the value 0, if the text is none.</returns>
    public bool TryParse(ReadOnlySpan<byte> text, out double value) =>
        HasDecimalCommas ? TryParseDecimalComma(text, out value) : CsvNumber.TryParse(text, out value);

    /// <summary>Whether a cell's text is a number.</summary>
    public bool IsNumber(string text) => TryParse(System.Text.Encoding.UTF8.GetBytes(text), out _);

    /// <summary>Whether text that is no number would be one with a decimal comma.</summary>
    public bool WouldBeNumber(ReadOnlySpan<byte> text) => !HasDecimalCommas && TryParseDecimalComma(text, out _);

    // A point would separate thousands, which no other number may either.
    private static bool TryParseDecimalComma(ReadOnlySpan<byte> text, out double value)
    {
        value = 0;
        Span<byte> number = stackalloc byte[CsvNumber.Longest];
        if (text.Length > number.Length || text.Contains((byte)'.'))
            return false;
        text.CopyTo(number);
        if (text.IndexOf(Comma) is >= 0 and var comma)
            number[comma] = (byte)'.';
        return CsvNumber.TryParse(number[..text.Length], out value);
    }

    private static string Name(byte separator) => separator == '\t' ? "a tab" : $"'{(char)separator}'";

    /// <summary>What stands between the cells of the first row, outside of quotes: each separator once.</summary>
    private static List<byte> Separators(ReadOnlySpan<byte> text)
    {
        var isQuoted = false;
        List<byte> seen = [];
        foreach (var character in text)
        {
            if (character == Quote)
                isQuoted = !isQuoted;
            if (isQuoted)
                continue;
            if (character is (byte)'\r' or (byte)'\n')
                break;
            if (Separating.Contains(character) && !seen.Contains(character))
                seen.Add(character);
        }

        return seen;
    }

    /// <summary>Whether every comma of the first rows stands inside a number between other separators, such as <c>0,5;yes</c>.</summary>
    private static bool HasOnlyDecimalCommas(ReadOnlySpan<byte> text, byte separator)
    {
        var hasCommas = false;
        for (var rows = 0; rows < RowsSeen && !text.IsEmpty; rows++)
        {
            var row = Row(text);
            text = text[Math.Min(row.Length + 1, text.Length)..];
            if (row.IsEmpty)
                continue;
            if (!row.Contains(separator) || row.Contains(Quote))
                return false;
            foreach (var range in row.Split(separator))
            {
                var cell = row[range];
                if (!cell.Contains(Comma))
                    continue;
                if (!TryParseDecimalComma(cell, out _))
                    return false;
                hasCommas = true;
            }
        }

        return hasCommas;
    }

    private static ReadOnlySpan<byte> Row(ReadOnlySpan<byte> text) => text.IndexOfAny("\r\n"u8) is >= 0 and var end ? text[..end] : text;
}
