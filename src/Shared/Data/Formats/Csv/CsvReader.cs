namespace Distributed.Data.Formats.Csv;

/// <summary>One cell of a CSV file, as a slice of it.</summary>
/// <param name="text">The bytes between separators, without the enclosing quotes, a doubled quote still doubled.</param>
/// <param name="isQuoted">Whether it was enclosed in quotes.</param>
/// <param name="endsRecord">Whether it is the last cell of its record.</param>
internal readonly ref struct CsvCell(ReadOnlySpan<byte> text, bool isQuoted, bool endsRecord)
{
    public ReadOnlySpan<byte> Text { get; } = text;

    public bool IsQuoted { get; } = isQuoted;

    public bool EndsRecord { get; } = endsRecord;
}

/// <summary>Cuts UTF-8 text into cells, by RFC 4180: quoted cells may hold separators, line ends and doubled quotes.</summary>
/// <remarks>Any of CR, LF and CRLF ends a record, and so does the end of the file. Nothing is allocated.</remarks>
/// <param name="path">Where the text comes from.</param>
/// <param name="text">The whole text, with or without a byte order mark.</param>
/// <param name="separator">What stands between two cells.</param>
internal ref struct CsvReader(string path, ReadOnlySpan<byte> text, byte separator)
{
    private const byte Quote = (byte)'"',
        CarriageReturn = (byte)'\r',
        LineFeed = (byte)'\n';

    private readonly ReadOnlySpan<byte> _text = text;
    private int _position = MarkLength(text);
    private int _nextLine = 1;
    private bool _isInRecord;

    /// <summary>The line on which the latest cell starts, from 1.</summary>
    public int Line { get; private set; }

    /// <summary>What has not been taken yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _text[_position..];

    /// <summary>The length of the byte order mark that a text begins with, 0 if there is none.</summary>
    public static int MarkLength(ReadOnlySpan<byte> text) => text.StartsWith("\uFEFF"u8) ? 3 : 0;

    /// <summary>Takes the next cell; false at the end of the text.</summary>
    /// <exception cref="InputException">A quote is misplaced.</exception>
    public bool TryRead(out CsvCell cell)
    {
        cell = default;
        if (_position == _text.Length && !_isInRecord)
            return false;
        Line = _nextLine;
        var isQuoted = _position < _text.Length && _text[_position] == Quote;
        var content = isQuoted ? TakeQuoted() : TakePlain();
        cell = new CsvCell(content, isQuoted, TakeEnd());
        return true;
    }

    private ReadOnlySpan<byte> TakePlain()
    {
        var start = _position;
        while (_position < _text.Length && _text[_position] is not (CarriageReturn or LineFeed) && _text[_position] != separator)
            _position++;
        return _text[start.._position];
    }

    private ReadOnlySpan<byte> TakeQuoted()
    {
        var start = ++_position;
        while (true)
        {
            var length = _text[_position..].IndexOf(Quote);
            if (length < 0)
                throw FileErrors.AtLine(path, Line, "a quoted cell is never closed");
            _position += length + 1;
            if (_position == _text.Length || _text[_position] != Quote)
                break;
            _position++;
        }

        var content = _text[start..(_position - 1)];
        _nextLine += content.Count(LineFeed);
        return content;
    }

    /// <summary>Takes the separator or the end of the record behind a cell, and returns whether it was the latter.</summary>
    private bool TakeEnd()
    {
        var end = _position < _text.Length ? _text[_position++] : LineFeed;
        _isInRecord = end == separator;
        if (_isInRecord)
            return false;
        if (end is not (CarriageReturn or LineFeed))
            throw FileErrors.AtLine(path, Line, "text follows the closing quote of a cell");
        if (end == CarriageReturn && _position < _text.Length && _text[_position] == LineFeed)
            _position++;
        _nextLine++;
        return true;
    }
}
