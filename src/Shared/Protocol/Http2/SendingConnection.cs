using System.Net.Sockets;

namespace Distributed.Protocol.Http2;

/// <summary>
/// The connection beneath an HTTP/2 client that makes one call: it lets the call's data be sent past the client, straight from the sender's
/// memory. The client keeps what is small: settings, headers, pings, and the call's end.
/// </summary>
/// <remarks>
/// The runtime's client cuts what it sends into frames of 16 KiB, each of which is copied and twice handed over between threads. It does
/// not learn of what is sent here, so the other side's permissions to send more are kept from it.
/// </remarks>
/// <param name="socket">The connection; this takes it over.</param>
internal sealed class SendingConnection(Socket socket) : InterceptedStream(socket, sentPreface: PrefaceBytes)
{
    /// <summary>
    /// Bytes that go with a frame's header in one call of the system; a header alone would travel, and wake its receiver, alone.
    /// </summary>
    private const int CopiedBytes = 8 * 1024;

    private readonly ByteView _values = new();
    private readonly SendWindow _window = new();
    private readonly byte[] _head = new byte[Http2Frame.HeaderBytes + CopiedBytes];
    private readonly ReceiveBuffer _buffer = new();
    private int _stream;
    private int _passing; // bytes that go to the client as they come

    /// <inheritdoc />
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_passing == 0)
        {
            if (!await FillAsync(Http2Frame.HeaderBytes, cancellationToken))
                return 0;
            var frame = Http2Frame.Read(_buffer.First(Http2Frame.HeaderBytes).Span);
            if (!await TakeAsync(frame, cancellationToken))
                _passing = frame.TotalBytes;
        }

        if (_buffer.Count == 0)
            await FillAsync(1, cancellationToken);
        var count = _buffer.MoveTo(buffer.Span[..Math.Min(buffer.Length, _passing)]);
        _passing -= count;
        return count;
    }

    /// <summary>
    /// Sends a message of the call as one frame. The client must have sent one before, and one at a time may be sent here.
    /// </summary>
    /// <param name="prefix">What goes first; at most 8 KiB.</param>
    /// <param name="values">What follows; read until this has completed.</param>
    /// <param name="cancellationToken">Gives up; the connection is then of no use any more.</param>
    public async ValueTask SendMessageAsync(ReadOnlyMemory<byte> prefix, ReadOnlyMemory<float> values, CancellationToken cancellationToken)
    {
        var bytes = _values.Of(values);
        var length = prefix.Length + bytes.Length;
        await _window.TakeAsync(length, cancellationToken);
        new Http2Frame(length, Http2FrameType.Data, Flags: 0, _stream).Write(_head);
        prefix.CopyTo(_head.AsMemory(Http2Frame.HeaderBytes));
        var head = _head.AsMemory(0, Http2Frame.HeaderBytes + Math.Min(length, CopiedBytes));
        var copied = head.Length - Http2Frame.HeaderBytes - prefix.Length;
        bytes[..copied].CopyTo(head[^copied..]);
        await InsertAsync(head, bytes[copied..], cancellationToken);
    }

    /// <inheritdoc />
    private protected override void Written(Http2Frame frame)
    {
        if (frame.Type != Http2FrameType.Data)
            return;
        _stream = frame.Stream;
        _window.Charge(frame.Length);
    }

    // Whether all of a frame has been taken and is kept from the client.
    private async ValueTask<bool> TakeAsync(Http2Frame frame, CancellationToken cancellationToken)
    {
        if (frame.Type is not (Http2FrameType.Settings or Http2FrameType.WindowUpdate))
            return false;
        if (frame.TotalBytes > ReceiveBuffer.Capacity || !await FillAsync(frame.TotalBytes, cancellationToken))
            throw new IOException("the connection ended in the middle of an HTTP/2 frame");
        var payload = _buffer.First(frame.TotalBytes)[Http2Frame.HeaderBytes..];
        if (frame.Type == Http2FrameType.Settings)
        {
            _window.Set(payload.Span);
            return false;
        }

        _window.Grow(frame.Stream, payload.Span);
        _buffer.Skip(frame.TotalBytes);
        return true;
    }

    // Until so many bytes are in the buffer; false at the connection's end.
    private async ValueTask<bool> FillAsync(int count, CancellationToken cancellationToken)
    {
        while (_buffer.Count < count)
        {
            var received = await ReceiveAsync(_buffer.Room(count), cancellationToken);
            if (received == 0)
                return false;
            _buffer.Filled(received);
        }

        return true;
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                var received = Socket.Receive(destination.Span, SocketFlags.None, out var error);
                if (error == SocketError.Success)
                    return received;
                if (error != SocketError.WouldBlock)
                    throw new SocketException((int)error);
                await SocketWatch.Shared.UntilReadableAsync(Socket, cancellationToken);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            throw new IOException(exception.Message, exception);
        }
    }
}
