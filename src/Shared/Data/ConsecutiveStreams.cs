namespace Distributed.Data;

/// <summary>Two streams read one after the other as one. Neither is disposed with it.</summary>
/// <param name="first">The stream whose content comes first.</param>
/// <param name="second">The stream whose content follows.</param>
internal sealed class ConsecutiveStreams(Stream first, Stream second) : Stream
{
    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Fills the buffer unless both streams end before, so that where one ends cannot be told from the pieces.</summary>
    public override int Read(Span<byte> buffer)
    {
        var length = first.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return length + second.ReadAtLeast(buffer[length..], buffer.Length - length, throwOnEndOfStream: false);
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush() { }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
