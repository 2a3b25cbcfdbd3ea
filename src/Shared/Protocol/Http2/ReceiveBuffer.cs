namespace Distributed.Protocol.Http2;

/// <summary>Bytes that have been received before it was known where they belong.</summary>
internal sealed class ReceiveBuffer
{
    /// <summary>The most that can be kept.</summary>
    public const int Capacity = 16 * 1024;

    private readonly byte[] _bytes = new byte[Capacity];
    private int _start;
    private int _end;

    /// <summary>How many there are.</summary>
    public int Count => _end - _start;

    /// <summary>Makes room.</summary>
    /// <param name="count">How many bytes are to be kept together, at most <see cref="Capacity"/>.</param>
    /// <returns>Where the next ones belong; <see cref="Filled"/> says how many have come.</returns>
    public Memory<byte> Room(int count)
    {
        if (_start + count > Capacity || _start == _end)
        {
            _bytes.AsSpan(_start.._end).CopyTo(_bytes);
            (_start, _end) = (0, _end - _start);
        }

        return _bytes.AsMemory(_end);
    }

    /// <summary>Keeps bytes that have been received into the room.</summary>
    public void Filled(int count) => _end += count;

    /// <summary>The first bytes, until room is made.</summary>
    public ReadOnlyMemory<byte> First(int count) => _bytes.AsMemory(_start, count);

    /// <summary>Lets the first bytes go.</summary>
    public void Skip(int count) => _start += count;

    /// <summary>Takes as many bytes as there are, or as fit.</summary>
    /// <returns>How many.</returns>
    public int MoveTo(Span<byte> destination)
    {
        var count = Math.Min(Count, destination.Length);
        _bytes.AsSpan(_start, count).CopyTo(destination);
        _start += count;
        return count;
    }
}
