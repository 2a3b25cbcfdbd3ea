namespace Distributed.Data.Formats.Csv;

/// <summary>A file of text, or one of several that follow one another.</summary>
/// <param name="Path">Where it comes from.</param>
/// <param name="Text">All of it, with or without a byte order mark.</param>
internal sealed record CsvPart(string Path, ReadOnlyMemory<byte> Text)
{
    /// <summary>The line of an offset, counted from 1.</summary>
    public int LineAt(int offset)
    {
        var before = Text.Span[..offset];
        // CRLF is one end.
        return 1 + before.Count((byte)'\r') + before.Count((byte)'\n') - before.Count("\r\n"u8);
    }
}
