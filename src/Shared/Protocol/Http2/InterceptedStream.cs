using System.Net.Sockets;

namespace Distributed.Protocol.Http2;

/// <summary>
/// A socket beneath an HTTP/2 client or server, which sees the frames that go through it: it may keep received ones from the one above, and put frames
/// of its own between those that the one above writes.
/// </summary>
public abstract class InterceptedStream : Stream
{
    /// <summary>Bytes that are received at once where it is not known yet where they belong.</summary>
    private protected const int BufferBytes = 16 * 1024;

    /// <summary>The bytes with which a client begins (RFC 9113, section 3.4).</summary>
    private protected const int PrefaceBytes = 24;

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly FrameTracker _written;
    private int _start;
    private int _end;
    private int _passing; // bytes that go to the one above as they come

    /// <summary>Takes a connection over.</summary>
    /// <param name="socket">The connection.</param>
    /// <param name="receivedPreface">Bytes that come before the first frame.</param>
    /// <param name="sentPreface">Bytes that are written before the first frame.</param>
    private protected InterceptedStream(Socket socket, int receivedPreface, int sentPreface)
    {
        _socket = socket;
        _passing = receivedPreface;
        _written = new FrameTracker(sentPreface);
    }

    /// <inheritdoc />
    public override bool CanRead => true;

    /// <inheritdoc />
    public override bool CanWrite => true;

    /// <inheritdoc />
    public override bool CanSeek => false;

    /// <inheritdoc />
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc />
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc />
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_passing == 0)
        {
            if (!await FillAsync(Http2Frame.HeaderBytes, cancellationToken))
                return 0;
            var frame = Http2Frame.Read(_buffer.AsSpan(_start));
            if (!await TakeAsync(frame, cancellationToken))
                _passing = frame.TotalBytes;
        }

        if (buffer.IsEmpty)
            await FillAsync(1, cancellationToken);
        var count = await ReceiveAsync(buffer[..Math.Min(buffer.Length, _passing)], cancellationToken);
        _passing -= count;
        return count;
    }

    /// <inheritdoc />
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_written.IsBetweenFrames)
            await _writing.WaitAsync(cancellationToken);
        try
        {
            _written.Pass(buffer.Span, Written);
            await SendAsync(buffer, cancellationToken);
        }
        finally
        {
            if (_written.IsBetweenFrames)
                _writing.Release();
        }
    }

    /// <inheritdoc />
    public override void Flush()
    {
    }

    /// <inheritdoc />
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc />
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Looks at a frame whose header has come and is still in the buffer.</summary>
    /// <returns>Whether this has received all of it and keeps it from the one above.</returns>
    private protected abstract ValueTask<bool> TakeAsync(Http2Frame frame, CancellationToken cancellationToken);

    /// <summary>Learns of a frame that the one above writes.</summary>
    private protected virtual void Written(Http2Frame frame)
    {
    }

    /// <summary>Receives bytes without taking them.</summary>
    /// <param name="count">How many are needed, at most <see cref="BufferBytes"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>[count].</returns>
    /// <exception cref="IOException">The connection ended before, or so many cannot be kept.</exception>
    internal async ValueTask<ReadOnlyMemory<byte>> PeekAsync(int count, CancellationToken cancellationToken) =>
        count <= BufferBytes && await FillAsync(count, cancellationToken) ? _buffer.AsMemory(_start, count) : throw Truncated();

    /// <summary>Takes bytes that have been peeked at.</summary>
    internal void Skip(int count) => _start += count;

    /// <summary>Receives bytes to where they belong.</summary>
    /// <exception cref="IOException">The connection ended before.</exception>
    private protected async ValueTask ReceiveAllAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        while (destination.Length > 0)
        {
            var count = await ReceiveAsync(destination, cancellationToken);
            destination = count > 0 ? destination[count..] : throw Truncated();
        }
    }

    /// <summary>Sends a frame between those of the one above.</summary>
    /// <param name="head">Its header, and the first of what follows.</param>
    /// <param name="rest">The rest of it.</param>
    /// <param name="cancellationToken">Gives up; the connection is then of no use any more.</param>
    private protected async ValueTask InsertAsync(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> rest, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await SendAsync(head, cancellationToken);
            await SendAsync(rest, cancellationToken);
        }
        catch
        {
            Dispose(); // nothing may follow a part of a frame
            throw;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _socket.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            while (bytes.Length > 0)
                bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancellationToken)..];
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            throw new IOException(exception.Message, exception);
        }
    }

    // The next bytes from the socket, none at the connection's end.
    private async ValueTask<int> ReceiveNewAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            return await _socket.ReceiveAsync(destination, SocketFlags.None, cancellationToken);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            throw new IOException(exception.Message, exception);
        }
    }

    private ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (_start == _end)
            return ReceiveNewAsync(destination, cancellationToken);
        var count = Math.Min(_end - _start, destination.Length);
        _buffer.AsMemory(_start, count).CopyTo(destination);
        _start += count;
        return new(count);
    }

    // Until so many bytes are in the buffer; false at the connection's end.
    private async ValueTask<bool> FillAsync(int count, CancellationToken cancellationToken)
    {
        if (_start + count > BufferBytes || _start == _end)
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        while (_end - _start < count)
        {
            var received = await ReceiveNewAsync(_buffer.AsMemory(_end), cancellationToken);
            if (received == 0)
                return false;
            _end += received;
        }

        return true;
    }

    private static IOException Truncated() => new("the connection ended in the middle of an HTTP/2 frame");
}
