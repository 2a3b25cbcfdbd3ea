namespace Distributed.Protocol.Http2;

/// <summary>Finds the frames in bytes that go by in pieces of any size.</summary>
/// <param name="preface">Bytes before the first frame.</param>
internal sealed class FrameTracker(int preface)
{
    private readonly byte[] _header = new byte[Http2Frame.HeaderBytes];
    private int _headerBytes;
    private int _left = preface;

    /// <summary>Whether what has gone by ends with a whole frame.</summary>
    public bool IsBetweenFrames { get; private set; } = true;

    /// <summary>Lets bytes go by.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="found">Told of each frame whose header is complete.</param>
    public void Pass(ReadOnlySpan<byte> bytes, Action<Http2Frame> found)
    {
        while (bytes.Length > 0)
        {
            var count = Math.Min(bytes.Length, _left > 0 ? _left : Http2Frame.HeaderBytes - _headerBytes);
            if (_left > 0)
                _left -= count;
            else
                PassHeader(bytes[..count], found);
            bytes = bytes[count..];
        }

        IsBetweenFrames = _left == 0 && _headerBytes == 0;
    }

    private void PassHeader(ReadOnlySpan<byte> bytes, Action<Http2Frame> found)
    {
        bytes.CopyTo(_header.AsSpan(_headerBytes));
        _headerBytes += bytes.Length;
        if (_headerBytes < Http2Frame.HeaderBytes)
            return;
        var frame = Http2Frame.Read(_header);
        (_headerBytes, _left) = (0, frame.Length);
        found(frame);
    }
}
