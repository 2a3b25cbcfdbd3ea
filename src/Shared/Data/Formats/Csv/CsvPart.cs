namespace Distributed.Data.Formats.Csv;

/// <summary>A file of text, or one of several that follow one another.</summary>
/// <param name="Path">Where it comes from.</param>
/// <param name="Text">All of it, with or without a byte order mark.</param>
internal sealed record CsvPart(string Path, ByteContent Text)
{
    private const int PieceBytes = 1 << 20;

    /// <summary>The line of an offset, counted from 1.</summary>
    public long LineAt(long offset)
    {
        var line = 1L;
        for (var start = 0L; start < offset; start += PieceBytes)
        {
            var before = Text.Span(start, (int)Math.Min(PieceBytes, offset - start));
            // CRLF is one end, which two pieces may share.
            line += before.Count((byte)'\r') + before.Count((byte)'\n') - before.Count("\r\n"u8);
            if (start > 0 && before[0] == '\n' && Text.Span(start - 1, 1)[0] == '\r')
                line--;
        }

        return line;
    }
}
