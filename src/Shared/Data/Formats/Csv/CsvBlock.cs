using System.Buffers;

namespace Distributed.Data.Formats.Csv;

/// <summary>Whole rows of a text, which are read by themselves.</summary>
/// <param name="Part">Which part of the text they stand in.</param>
/// <param name="Start">Where they begin in it.</param>
/// <param name="End">Where they end.</param>
/// <param name="FirstRow">The first row, counted over all parts, without headers and blank lines.</param>
/// <param name="Rows">Number of rows.</param>
internal readonly record struct CsvBlock(int Part, int Start, int End, int FirstRow, int Rows)
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
    public static IEnumerable<CsvBlock> Split(ReadOnlyMemory<byte> text, byte separator, CsvBlock first, int size)
    {
        var block = first;
        var (at, recordStart) = (first.Start, first.Start);
        while (at < text.Length)
        {
            at = NextLineEnd(text.Span, separator, recordStart);
            var rows = at > recordStart ? block.Rows + 1 : block.Rows;
            at = Math.Min(at + (text.Span[at..].StartsWith("\r\n"u8) ? 2 : 1), text.Length);
            block = block with { End = at, Rows = rows };
            recordStart = at;
            if (at - block.Start < size && at < text.Length)
                continue;
            yield return block;
            block = new CsvBlock(first.Part, at, at, block.FirstRow + rows, 0);
        }
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
