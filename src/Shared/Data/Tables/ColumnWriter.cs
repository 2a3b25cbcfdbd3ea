namespace Distributed.Data.Tables;

/// <summary>Writes consecutive values of a column, which may lie in a file, a buffer at a time.</summary>
/// <typeparam name="T">Their type.</typeparam>
/// <param name="column">[rows of the table], shared with other writers.</param>
/// <param name="first">The first row that is written.</param>
internal struct ColumnWriter<T>(Memory<T> column, int first)
    where T : unmanaged
{
    // Of a table of many columns all buffers together stay in a processor's own cache; of one of thousands, blocks have few rows.
    private const int FirstRows = 64;
    private const int MostRows = 512;

    private T[] _buffer = new T[FirstRows];
    private int _filled;
    private int _start = first;

    /// <summary>The next row.</summary>
    public readonly int Next => _start + _filled;

    /// <summary>Adds a value.</summary>
    public void Add(T value)
    {
        if (_filled == _buffer.Length)
            MakeRoom();
        _buffer[_filled++] = value;
    }

    /// <summary>Puts what was added into the column.</summary>
    public void Flush()
    {
        _buffer.AsSpan(0, _filled).CopyTo(column.Span[_start..]);
        _start += _filled;
        _filled = 0;
    }

    private void MakeRoom()
    {
        if (_filled < MostRows)
            Array.Resize(ref _buffer, MostRows);
        else
            Flush();
    }
}
