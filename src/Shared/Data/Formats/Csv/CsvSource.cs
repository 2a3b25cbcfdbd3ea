namespace Distributed.Data.Formats.Csv;

/// <summary>A text with what is known of it before its columns are.</summary>
/// <param name="path">Where it comes from.</param>
/// <param name="text">All of it.</param>
/// <param name="dialect">How it is cut into cells.</param>
internal readonly ref struct CsvSource(string path, ReadOnlySpan<byte> text, CsvDialect dialect)
{
    public string Path { get; } = path;

    public ReadOnlySpan<byte> Text { get; } = text;

    public CsvDialect Dialect { get; } = dialect;

    /// <summary>A text whose first row that is not blank tells what separates its cells.</summary>
    /// <param name="path">Where it comes from.</param>
    /// <param name="text">All of it.</param>
    /// <param name="hasDecimalCommas">Whether numbers have decimal commas.</param>
    /// <exception cref="InputException">There is no row, or its separator cannot be told.</exception>
    public static CsvSource Of(string path, ReadOnlySpan<byte> text, bool hasDecimalCommas)
    {
        var rest = text[CsvReader.MarkLength(text)..];
        var line = 1;
        for (; rest.StartsWith("\n"u8) || rest.StartsWith("\r"u8); line++)
            rest = rest[(rest.StartsWith("\r\n"u8) ? 2 : 1)..];
        if (rest.IsEmpty)
            throw FileErrors.In(path, "the file has no rows; a dataset needs samples");
        return new CsvSource(path, text, CsvDialect.Detect(path, line, rest, hasDecimalCommas));
    }

    /// <summary>Reads it from the beginning.</summary>
    public CsvReader Read() => new(Path, Text, Dialect.Separator);
}
