using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace Distributed.Protocol.Http2;

/// <summary>
/// The connection beneath an HTTP/2 server: it lets the data of one call be received past the server, straight to where it belongs. The
/// server keeps all else, and all other calls.
/// </summary>
/// <remarks>
/// <para>
/// Any thread may receive, and does it without waiting: the one that waits for values receives them itself, so that no other is woken, and
/// takes its processor away, for every piece that comes. While nobody does, a <see cref="ReceiveWatch"/> does.
/// </para>
/// <para>
/// The runtime's server copies what it receives three times, and hands it over between threads as often. It does not learn of what is
/// received here, so it is here that the other side is permitted to send more.
/// </para>
/// </remarks>
public sealed class ReceivingConnection : InterceptedStream
{
    private const int UpdateBytes = Http2Frame.HeaderBytes + sizeof(int);
    private const int BlockBytes = 64 * 1024;

    /// <summary>Bytes that the server may be behind with what has been received for it.</summary>
    private const int MostBehind = 1024 * 1024;

    private readonly Pipe _server = new(
        new PipeOptions(
            pauseWriterThreshold: MostBehind,
            resumeWriterThreshold: MostBehind / 2,
            minimumSegmentSize: BlockBytes,
            useSynchronizationContext: false
        )
    );

    private readonly Lock _lock = new();
    private readonly ReceiveWatch _watch;
    private readonly ReceiveBuffer _buffer = new();
    private readonly ByteView _values = new();
    private readonly byte[] _updates = new byte[2 * UpdateBytes];
    private Task _permitting = Task.CompletedTask;
    private IMessageReceiver? _receiver;
    private int _stream;
    private int _passing = PrefaceBytes; // bytes that go to the server as they come
    private int _message; // the length of the message that is being received, or 0
    private Memory<byte> _rest; // where the rest of it belongs
    private int _consumed;
    private bool _isFlushing;
    private bool _isHeldUp; // something has come that cannot be taken yet
    private bool _isOver;
    private bool _wasUsed; // a thread that waits for values has received lately

    /// <summary>Takes a connection over.</summary>
    /// <param name="socket">The connection.</param>
    /// <param name="watch">Receives while nobody else does.</param>
    public ReceivingConnection(Socket socket, ReceiveWatch watch)
        : base(socket, sentPreface: 0)
    {
        ArgumentNullException.ThrowIfNull(watch);
        _watch = watch;
        watch.Add(this);
    }

    /// <summary>What is received for the server.</summary>
    public PipeReader Input => _server.Reader;

    /// <inheritdoc />
    /// <remarks>A server learns of the connection's end by reading.</remarks>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await base.WriteAsync(buffer, cancellationToken);
        }
        catch (IOException)
        {
            // It is told where the server reads.
        }
    }

    /// <summary>Lets a call's data be received past the server from now on.</summary>
    /// <param name="stream">The call's HTTP/2 stream.</param>
    /// <param name="receiver">Receives the message in each frame.</param>
    internal void Divert(int stream, IMessageReceiver receiver)
    {
        lock (_lock)
            (_stream, _receiver) = (stream, receiver);
    }

    /// <summary>Ends that: when this returns, nothing is written to where values belong any more.</summary>
    internal void EndDiversion()
    {
        lock (_lock)
        {
            _receiver = null;
            if (_message > 0)
                Dispose(); // nobody could tell where the next frame begins
        }
    }

    /// <summary>Receives what has come, without waiting; for those who wait for values.</summary>
    /// <returns>False when nothing more will come.</returns>
    internal bool Receive()
    {
        Volatile.Write(ref _wasUsed, true);
        ReceiveInBackground();
        return !Volatile.Read(ref _isOver);
    }

    /// <summary>Waits until there is something to receive.</summary>
    /// <param name="atMost">How long.</param>
    internal void Wait(TimeSpan atMost)
    {
        try
        {
            Socket.Poll(atMost, SelectMode.SelectRead);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It is told by receiving.
        }
    }

    /// <summary>Receives what has come, without waiting.</summary>
    internal void ReceiveInBackground()
    {
        lock (_lock)
        {
            try
            {
                _isHeldUp = false;
                while (!_isOver && !_isFlushing && Advance()) { }
            }
            catch (EndOfStreamException) when (_message == 0)
            {
                End(failure: null);
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException)
            {
                End(exception as IOException ?? new IOException(exception.Message, exception));
            }
        }
    }

    /// <summary>Whether to receive as soon as something comes; not if somebody else has received since this was asked before.</summary>
    internal Watching Watching()
    {
        lock (_lock)
        {
            var wasUsed = _wasUsed;
            _wasUsed = false;
            return _isOver || _isFlushing ? Http2.Watching.Never
                : wasUsed ? Http2.Watching.Later
                : _isHeldUp ? Http2.Watching.Again
                : Http2.Watching.Now;
        }
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _watch.Remove(this);
            lock (_lock)
                End(failure: null);
        }

        base.Dispose(disposing);
    }

    // A step further in what comes; false if more has to come first, or something has to happen elsewhere.
    private bool Advance()
    {
        if (_passing > 0)
            return Pass();
        if (_message > 0)
            return ReceiveValues();
        if (!Has(Http2Frame.HeaderBytes))
            return false;
        var frame = Http2Frame.Read(_buffer.First(Http2Frame.HeaderBytes).Span);
        if (frame.Type == Http2FrameType.Data && frame.Length > 0 && _receiver is not null && frame.Stream == _stream)
            return Begin(frame, _receiver);
        _passing = frame.TotalBytes;
        return true;
    }

    private bool Pass()
    {
        var memory = _server.Writer.GetMemory();
        var count = Take(memory.Span[..Math.Min(memory.Length, _passing)]);
        if (count == 0)
            return false;
        _passing -= count;
        _server.Writer.Advance(count);
        var flush = _server.Writer.FlushAsync();
        if (flush.IsCompletedSuccessfully)
            return !flush.Result.IsCompleted ? true : throw new IOException("the server reads no more");
        _isFlushing = true;
        _ = FlushAsync(flush);
        return false;
    }

    private async Task FlushAsync(ValueTask<FlushResult> flush)
    {
        await flush;
        lock (_lock)
            _isFlushing = false;
        _watch.Wake();
    }

    private bool Begin(Http2Frame frame, IMessageReceiver receiver)
    {
        if (frame.Flags != 0 || frame.Length > WireLimits.HttpFrameBytes)
            throw new IOException("an HTTP/2 frame of gradients is padded or too long, or ends its call");
        var known = Http2Frame.HeaderBytes + Math.Min(frame.Length, receiver.PrefixBytes);
        if (!Has(known))
            return false;
        _isHeldUp = !receiver.TryBegin(_buffer.First(known)[Http2Frame.HeaderBytes..], frame.Length, out var prefix, out var values);
        if (_isHeldUp)
            return false;
        _buffer.Skip(Http2Frame.HeaderBytes + prefix);
        (_message, _rest) = (frame.Length, _values.Of(values));
        return true;
    }

    private bool ReceiveValues()
    {
        while (_rest.Length > 0)
        {
            var count = Take(_rest.Span);
            if (count == 0)
                return false;
            _rest = _rest[count..];
        }

        _consumed += _message;
        _message = 0;
        _receiver!.Complete();
        if (_consumed >= WireLimits.WindowBytes / 2 && _permitting.IsCompleted)
            _permitting = PermitAsync();
        return true;
    }

    private async Task PermitAsync()
    {
        WriteUpdate(_updates, stream: 0);
        WriteUpdate(_updates.AsSpan(UpdateBytes), _stream);
        _consumed = 0;
        try
        {
            await InsertAsync(_updates, default, CancellationToken.None);
        }
        catch (IOException)
        {
            // It is told by receiving.
        }
    }

    private void WriteUpdate(Span<byte> output, int stream)
    {
        new Http2Frame(sizeof(int), Http2FrameType.WindowUpdate, Flags: 0, stream).Write(output);
        BinaryPrimitives.WriteInt32BigEndian(output[Http2Frame.HeaderBytes..], _consumed);
    }

    private bool Has(int count)
    {
        while (_buffer.Count < count)
        {
            var received = ReceiveNew(_buffer.Room(count).Span);
            if (received == 0)
                return false;
            _buffer.Filled(received);
        }

        return true;
    }

    private int Take(Span<byte> destination) => _buffer.Count > 0 ? _buffer.MoveTo(destination) : ReceiveNew(destination);

    // How many bytes have come; 0 if none have.
    private int ReceiveNew(Span<byte> destination)
    {
        var count = Socket.Receive(destination, SocketFlags.None, out var error);
        return error switch
        {
            SocketError.Success when count > 0 => count,
            SocketError.Success => throw new EndOfStreamException("the connection ended in the middle of an HTTP/2 frame"),
            SocketError.WouldBlock => 0,
            _ => throw new IOException(new SocketException((int)error).Message),
        };
    }

    private void End(IOException? failure)
    {
        if (_isOver)
            return;
        Volatile.Write(ref _isOver, true);
        _server.Writer.Complete(failure);
    }
}

/// <summary>Receives messages as they come.</summary>
internal interface IMessageReceiver
{
    /// <summary>How much of a message must be known to begin it.</summary>
    int PrefixBytes { get; }

    /// <summary>Begins to receive a message.</summary>
    /// <param name="first">Its first bytes: <see cref="PrefixBytes"/>, or all of it.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="prefix">How many of them are not values.</param>
    /// <param name="values">Where the others belong.</param>
    /// <returns>False if it cannot be taken yet; it is offered again.</returns>
    /// <exception cref="IOException">Ends the connection.</exception>
    bool TryBegin(ReadOnlyMemory<byte> first, int length, out int prefix, out Memory<float> values);

    /// <summary>Takes the message that was begun, now that its values are there.</summary>
    /// <exception cref="IOException">Ends the connection.</exception>
    void Complete();
}
