using Distributed.Data.Tables;

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

    /// <summary>Whether, as the first cell of a record, it is all of it and is empty; such records are skipped.</summary>
    public bool IsBlankRecord => EndsRecord && !IsQuoted && Text.IsEmpty;
}

/// <summary>Cuts UTF-8 text into cells, by RFC 4180: quoted cells may hold separators, line ends and doubled quotes.</summary>
/// <remarks>Any of CR, LF and CRLF ends a record, and so does the end of the text. Nothing is allocated.</remarks>
internal ref struct CsvReader
{
    private const byte Quote = (byte)'"',
        CarriageReturn = (byte)'\r',
        LineFeed = (byte)'\n';

    private readonly ReadOnlySpan<byte> _text;
    private readonly byte _separator;
    private readonly RowPlaces _places;
    private readonly long _origin;
    private int _start; // of the latest cell
    private bool _isInRecord;

    /// <summary>Begins to read.</summary>
    /// <param name="text">The text, which ends where the reader is to end.</param>
    /// <param name="start">Where a record begins in it.</param>
    /// <param name="separator">What stands between two cells.</param>
    /// <param name="places">Names places.</param>
    /// <param name="origin">The place of the text's first byte.</param>
    public CsvReader(ReadOnlySpan<byte> text, int start, byte separator, RowPlaces places, long origin)
    {
        _text = text;
        Position = start;
        _separator = separator;
        _places = places;
        _origin = origin;
    }

    /// <summary>Where the next cell begins.</summary>
    public int Position { get; private set; }

    /// <summary>The place at which the latest cell begins.</summary>
    public readonly long Place => _origin + _start;

    /// <summary>The length of the byte order mark that a text begins with, 0 if there is none.</summary>
    public static int MarkLength(ReadOnlySpan<byte> text) => text.StartsWith("\uFEFF"u8) ? 3 : 0;

    /// <summary>Takes the next cell; false at the end of the text.</summary>
    /// <exception cref="InputException">A quote is misplaced.</exception>
    public bool TryRead(out CsvCell cell)
    {
        cell = default;
        if (Position == _text.Length && !_isInRecord)
            return false;
        _start = Position;
        var isQuoted = Position < _text.Length && _text[Position] == Quote;
        var content = isQuoted ? TakeQuoted() : TakePlain();
        cell = new CsvCell(content, isQuoted, TakeEnd());
        return true;
    }

    /// <summary>
    /// Takes the next cell if it is a number of digits and perhaps a point, which is what nearly all cells of large tables are: its end is
    /// found by reading it.
    /// </summary>
    /// <param name="number">The number.</param>
    /// <param name="endsRecord">Whether it is the last cell of its record.</param>
    /// <returns>False if it is something else, which is then still to be read.</returns>
    public bool TryReadNumber(out double number, out bool endsRecord)
    {
        endsRecord = false;
        var start = Position;
        while (start < _text.Length && _text[start] == ' ')
            start++;
        if (!CsvNumber.TryParseStart(_text[start..], out number, out var length))
            return false;
        var end = start + length;
        if (end < _text.Length && _text[end] != _separator && _text[end] is not (CarriageReturn or LineFeed))
            return false;
        _start = Position;
        Position = end;
        endsRecord = TakeEnd();
        return true;
    }

    private ReadOnlySpan<byte> TakePlain()
    {
        var rest = _text[Position..];
        var length = rest.IndexOfAny([_separator, CarriageReturn, LineFeed, Quote]);
        if (length >= 0 && rest[length] == Quote)
        {
            throw _places.Refuse(
                Place,
                "a quote stands inside of a cell that does not begin with one; enclose the cell in quotes, and double this one"
            );
        }

        length = length < 0 ? rest.Length : length;
        Position += length;
        return rest[..length];
    }

    private ReadOnlySpan<byte> TakeQuoted()
    {
        var start = ++Position;
        while (true)
        {
            var length = _text[Position..].IndexOf(Quote);
            if (length < 0)
                throw _places.Refuse(Place, "a quoted cell is never closed");
            Position += length + 1;
            if (Position == _text.Length || _text[Position] != Quote)
                return _text[start..(Position - 1)];
            Position++;
        }
    }

    /// <summary>Takes the separator or the end of the record behind a cell, and returns whether it was the latter.</summary>
    private bool TakeEnd()
    {
        var end = Position < _text.Length ? _text[Position++] : LineFeed;
        _isInRecord = end == _separator;
        if (_isInRecord)
            return false;
        if (end is not (CarriageReturn or LineFeed))
            throw _places.Refuse(Place, "text follows the closing quote of a cell");
        if (end == CarriageReturn && Position < _text.Length && _text[Position] == LineFeed)
            Position++;
        return true;
    }
}
