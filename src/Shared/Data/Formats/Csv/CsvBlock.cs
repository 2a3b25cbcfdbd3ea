using System.Buffers;

namespace Distributed.Data.Formats.Csv;

/// <summary>Whole rows of a text, which are read by themselves.</summary>
/// <param name="Part">Which part of the text they stand in.</param>
/// <param name="Start">Where they begin in it.</param>
/// <param name="End">Where they end.</param>
/// <param name="FirstRow">The first row, counted over all parts, without headers and blank lines.</param>
/// <param name="Rows">Number of rows.</param>
internal readonly record struct CsvBlock(int Part, long Start, long End, int FirstRow, int Rows)
{
    private const byte Quote = (byte)'"';

    private static readonly SearchValues<byte> Marks = SearchValues.Create("\"\r\n"u8);

    /// <summary>
    /// Cuts a part where a row ends. Only quotes and line ends are looked at, so that it takes far less time than reading the cells; where the
    /// blocks lie does not depend on who reads them.
    /// </summary>
    /// <param name="text">The part's text.</param>
    /// <param name="separator">What stands between two cells.</param>
    /// <param name="first">Where its first row begins, which row that is, and in which part.</param>
    /// <param name="size">Bytes of a block, which ends with the row that reaches them.</param>
    public static IEnumerable<CsvBlock> Split(ByteContent text, byte separator, CsvBlock first, int size)
    {
        for (var block = first; block.Start < text.Length; block = new(first.Part, block.End, block.End, block.FirstRow + block.Rows, 0))
        {
            text.ReadSoon(block.Start + size, size);
            var (length, rows) = Cut(text.From(block.Start), separator, size);
            block = block with { End = block.Start + length, Rows = rows };
            yield return block;
        }
    }

    /// <summary>How far the rows go that reach a size, and how many they are.</summary>
    private static (int Length, int Rows) Cut(ReadOnlySpan<byte> text, byte separator, int size)
    {
        var (at, rows) = (0, 0);
        while (at < size && at < text.Length)
        {
            var start = at;
            at = NextLineEnd(text, separator, start);
            rows += at > start ? 1 : 0;
            at = Math.Min(at + (text[at..].StartsWith("\r\n"u8) ? 2 : 1), text.Length);
        }

        return (at, rows);
    }

    /// <summary>Where a record ends, or the text.</summary>
    private static int NextLineEnd(ReadOnlySpan<byte> text, byte separator, int recordStart)
    {
        for (var at = recordStart; ; at++)
        {
            var distance = text[at..].IndexOfAny(Marks);
            if (distance < 0)
                return text.Length;
            at += distance;
            if (text[at] != Quote)
                return at;
            // Others than those which open a cell are refused when it is read.
            if (at > recordStart && text[at - 1] != separator)
                continue;
            do
            {
                var length = text[(at + 1)..].IndexOf(Quote);
                if (length < 0)
                    return text.Length;
                at += length + 2;
            } while (at < text.Length && text[at] == Quote);
            at--;
        }
    }
}
