using System.Net.Sockets;

namespace Distributed.Protocol.Http2;

/// <summary>
/// A socket beneath an HTTP/2 client or server, which sees the frames that go through it: it may keep received ones from the one above, and
/// put frames of its own between those that the one above writes.
/// </summary>
public abstract class InterceptedStream : Stream
{
    /// <summary>The bytes with which a client begins (RFC 9113, section 3.4).</summary>
    private protected const int PrefaceBytes = 24;

    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly FrameTracker _written;

    /// <summary>Takes a connection over.</summary>
    /// <param name="socket">The connection.</param>
    /// <param name="sentPreface">Bytes that are written before the first frame.</param>
    private protected InterceptedStream(Socket socket, int sentPreface)
    {
        ArgumentNullException.ThrowIfNull(socket);
        Socket = socket;
        socket.Blocking = false;
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

    /// <summary>The connection.</summary>
    internal Socket Socket { get; }

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
    public override void Flush() { }

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

    /// <summary>Learns of a frame that the one above writes.</summary>
    private protected virtual void Written(Http2Frame frame) { }

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
        {
            Socket.Dispose();
            SocketWatch.Shared.Forget(Socket);
        }

        base.Dispose(disposing);
    }

    // What the system takes at once is sent by the caller's thread.
    private async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            while (bytes.Length > 0)
            {
                var sent = Socket.Send(bytes.Span, SocketFlags.None, out var error);
                if (error == SocketError.WouldBlock)
                    await SocketWatch.Shared.UntilWritableAsync(Socket, cancellationToken);
                else if (error != SocketError.Success)
                    throw new SocketException((int)error);
                else
                    bytes = bytes[sent..];
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            throw new IOException(exception.Message, exception);
        }
    }
}
