using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Distributed.Protocol;

namespace Distributed.Collectives.Transports.Streams;

/// <summary>
/// A link over a raw duplex stream. Over a plain socket there are no hand-overs between threads: the compute thread sends what the
/// socket takes at once, and receives straight into the exchange's memory while it waits. At other times a <see cref="LinkWatch"/>
/// does both. Any other stream is served by two loops; that is where encryption fits in.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "AbandonAsync ends it; a cancelled source holds nothing.")]
internal sealed class StreamLink : Link
{
    /// <summary>Bytes that go with a header in one system call; a header alone would travel, and wake its receiver, alone.</summary>
    private const int CoalescedBytes = 8 * 1024;

    /// <summary>
    /// How many pings of a peer may be missing. They are counted by this process's own pings, so that a time in which it was stopped itself
    /// is no evidence.
    /// </summary>
    private const int MostSilentPings = 8;

    private readonly Stream _stream;
    private readonly ILinkReceiver _receiver;
    private readonly Socket? _socket; // null where the stream is no plain socket
    private readonly Lock _sending = new();
    private readonly Lock _receiving = new();
    private readonly Queue<(LinkFrame Frame, ReadOnlyMemory<float> Values)> _queue = new(); // under _sending, as all of sending
    private readonly byte[] _head = new byte[StreamFrame.HeaderBytes + CoalescedBytes];
    private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _queued = new(0);
    private readonly CancellationTokenSource _abandoned = new();
    private readonly byte[] _header = new byte[StreamFrame.HeaderBytes]; // under _receiving, as all of receiving
    private Task _loops = Task.CompletedTask;
    private ReadOnlyMemory<float> _unsent; // of the frame that is being sent
    private int _headBytes; // of _head that belong to it; what else of it is sent comes from _unsent
    private int _sentBytes;
    private bool _isSending;
    private bool _isCompleting;
    private bool _isClosed;
    private int _headerBytes;
    private LinkFrame _frame;
    private Memory<float> _destination;
    private int _receivedBytes; // of the frame's values
    private bool _isEarly; // the header has arrived, but the frame's exchange has not begun
    private bool _wasReceivedByWaiter;
    private bool _isWaitedFor; // the waiting thread sends, too
    private bool _wasHeard = true; // since the last ping
    private int _silentPings; // under _receiving

    /// <summary>Takes a stream over, after its preamble.</summary>
    /// <param name="peer">The peer's rank.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="receiver">Takes what arrives.</param>
    public StreamLink(int peer, Stream stream, ILinkReceiver receiver)
        : base(peer)
    {
        _stream = stream;
        _receiver = receiver;
        _socket = stream is NetworkStream network ? network.Socket : null;
    }

    /// <summary>The socket that is watched.</summary>
    internal Socket? Socket => _socket;

    /// <summary>Whether it is a Unix domain socket.</summary>
    internal bool IsLocal => _socket?.AddressFamily == AddressFamily.Unix;

    /// <summary>Whether a frame waits for its exchange to begin.</summary>
    internal bool IsHeldUp => Volatile.Read(ref _isEarly);

    /// <inheritdoc />
    public override void Start()
    {
        if (_socket is null)
        {
            _loops = Task.WhenAll(SendLoopAsync(), ReceiveLoopAsync());
            return;
        }

        _socket.Blocking = false;
        LinkWatch.Shared.Add(this);
    }

    /// <inheritdoc />
    public override bool Receive()
    {
        if (_socket is null)
            return false;
        Volatile.Write(ref _wasReceivedByWaiter, true);
        return ReceiveAvailable();
    }

    /// <inheritdoc />
    public override void Wait(TimeSpan atMost)
    {
        try
        {
            if (Volatile.Read(ref _isSending))
                WaitToSendToo(atMost);
            else
                _socket?.Poll(atMost, SelectMode.SelectRead);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The receiving side reports the failure.
        }
    }

    // What is unsent when a wait begins is sent by the waiting thread instead of the watch: in place over loopback, the median of five
    // pairs was 4 to 5 % faster at 2.7, 16 and 64 MiB, on a machine whose pairs differed by more.
    private void WaitToSendToo(TimeSpan atMost)
    {
        Volatile.Write(ref _isWaitedFor, true);
        try
        {
            List<Socket> readable = [_socket!],
                writable = [_socket!];
            Socket.Select(readable, writable, null, atMost);
            if (writable.Count > 0)
                Flush();
        }
        finally
        {
            Volatile.Write(ref _isWaitedFor, false);
        }
    }

    /// <inheritdoc />
    public override Task CompleteAsync()
    {
        lock (_sending)
        {
            _isCompleting = true;
            if (_socket is not null)
                Flush();
            else
                _queued.Release();
        }

        LinkWatch.Shared.Wake();
        return _sent.Task;
    }

    /// <inheritdoc />
    public override async ValueTask AbandonAsync()
    {
        await _abandoned.CancelAsync();
        LinkWatch.Shared.Remove(this);
        lock (_receiving)
        {
            lock (_sending)
            {
                _isClosed = true;
                _queue.Clear();
            }
        }

        await _stream.DisposeAsync();
        await _loops;
        _sent.TrySetResult();
        End(new IOException("the link was abandoned"));
    }

    /// <summary>What to watch the socket for; called by the watch.</summary>
    internal LinkInterest Interest()
    {
        bool writes;
        lock (_sending)
            writes = _isSending && !_isClosed;
        if (writes && Volatile.Read(ref _isWaitedFor))
            return LinkInterest.Soon;
        lock (_receiving)
        {
            if (_isClosed || Ended.IsCompleted)
                return writes ? LinkInterest.Write : LinkInterest.None;
            var isLeftToWaiter = _wasReceivedByWaiter;
            _wasReceivedByWaiter = false;
            var reads = isLeftToWaiter || _isEarly ? LinkInterest.Later : LinkInterest.Read;
            return writes ? reads | LinkInterest.Write : reads;
        }
    }

    /// <summary>Receives without waiting; called by the watch, too.</summary>
    /// <returns>False when nothing more will come.</returns>
    internal bool ReceiveAvailable()
    {
        lock (_receiving)
        {
            try
            {
                while (!_isClosed && !Ended.IsCompleted && TryPlace())
                {
                    var count = _socket!.Receive(Next(), SocketFlags.None, out var error);
                    if (error == SocketError.WouldBlock)
                        break;
                    if (error != SocketError.Success)
                        throw new IOException(new SocketException((int)error).Message);
                    Advance(count);
                }
            }
            catch (Exception exception) when (exception is not OutOfMemoryException)
            {
                End(exception); // the exchange decides what the end of a link means
            }

            return !_isClosed && !Ended.IsCompleted;
        }
    }

    /// <summary>Sends what the socket takes; called by the watch, too.</summary>
    internal void Flush()
    {
        lock (_sending)
        {
            if (_sent.Task.IsCompleted)
                return;
            try
            {
                while (!_isClosed && TryNextFrame())
                {
                    while (Unsent() is { Length: > 0 } bytes)
                    {
                        var count = _socket!.Send(bytes, SocketFlags.None, out var error);
                        if (error == SocketError.WouldBlock)
                            return;
                        if (error != SocketError.Success)
                            throw new IOException(new SocketException((int)error).Message);
                        _sentBytes += count;
                    }

                    _isSending = false;
                }

                if (_isCompleting && !_isClosed)
                    _socket!.Shutdown(SocketShutdown.Send);
            }
            catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
            {
                _isSending = false;
                _queue.Clear();
                End(exception);
            }

            if (_isCompleting || Ended.IsCompleted)
                _sent.TrySetResult();
        }
    }

    /// <summary>Sends a ping if nothing else is under way, and breaks the link if the peer has sent none for too long.</summary>
    internal void Ping()
    {
        CheckSilence();
        lock (_sending)
        {
            if (!_isSending && !_isCompleting && !_isClosed && !Ended.IsCompleted)
                Enqueue(new LinkFrame(FrameKind.Ping, 0, 0, 0, 0), default);
        }
    }

    // A frame that waits here keeps those behind it from being heard.
    private void CheckSilence()
    {
        lock (_receiving)
        {
            var isHeard = _wasHeard || _isEarly;
            _wasHeard = false;
            _silentPings = isHeard ? 0 : _silentPings + 1;
            if (_silentPings >= MostSilentPings)
                End(new IOException("nothing arrives from it, not even pings (is the network between the two cut?)"));
        }
    }

    private protected override void Enqueue(in LinkFrame frame, ReadOnlyMemory<float> values)
    {
        var isWaiting = false;
        lock (_sending)
        {
            if (_isClosed || _isCompleting || Ended.IsCompleted)
                return;
            _queue.Enqueue((frame, values));
            if (_socket is null)
            {
                _queued.Release();
            }
            else if (!_isSending)
            {
                Flush();
                isWaiting = _isSending;
            }
        }

        if (isWaiting)
            LinkWatch.Shared.Wake();
    }

    // Under _sending: whether there is a frame to send (the rest of).
    private bool TryNextFrame()
    {
        if (_isSending)
            return true;
        if (!_queue.TryDequeue(out var next))
            return false;
        var bytes = MemoryMarshal.AsBytes(next.Values.Span);
        StreamFrame.Write(next.Frame, _head);
        var coalesced = Math.Min(bytes.Length, CoalescedBytes);
        bytes[..coalesced].CopyTo(_head.AsSpan(StreamFrame.HeaderBytes));
        (_unsent, _headBytes, _sentBytes, _isSending) = (next.Values, StreamFrame.HeaderBytes + coalesced, 0, true);
        return true;
    }

    // Under _sending: what of the frame has still to be sent, as far as it lies in one piece.
    private ReadOnlySpan<byte> Unsent() =>
        _sentBytes < _headBytes
            ? _head.AsSpan(_sentBytes, _headBytes - _sentBytes)
            : MemoryMarshal.AsBytes(_unsent.Span)[(_sentBytes - StreamFrame.HeaderBytes)..];

    // Under _receiving: whether it is known where the next bytes go.
    private bool TryPlace()
    {
        if (!_isEarly)
            return true;
        if (!_receiver.TryPlace(Peer, _frame, out _destination))
            return false;
        _isEarly = false;
        if (_frame.Count == 0)
            FrameArrived();
        return true;
    }

    // Under _receiving: where the next bytes go.
    private Span<byte> Next() =>
        _headerBytes < StreamFrame.HeaderBytes ? _header.AsSpan(_headerBytes) : MemoryMarshal.AsBytes(_destination.Span)[_receivedBytes..];

    // Under _receiving: bytes have come.
    private void Advance(int count)
    {
        _wasHeard = true;
        if (count == 0)
        {
            var isBetweenFrames = _headerBytes == 0;
            End(isBetweenFrames ? null : new EndOfStreamException("the connection ended in the middle of a frame"));
            _ = CompleteAsync(); // a peer that ends its direction has all that it needs, and waits for the answer
        }
        else if (_headerBytes < StreamFrame.HeaderBytes)
        {
            _headerBytes += count;
            if (_headerBytes < StreamFrame.HeaderBytes)
                return;
            _frame = StreamFrame.Read(_header);
            _isEarly = _frame.Kind != FrameKind.Ping;
            if (!_isEarly)
                _headerBytes = 0;
        }
        else
        {
            _receivedBytes += count;
            if (_receivedBytes == _frame.Count * (long)sizeof(float))
                FrameArrived();
        }
    }

    private void FrameArrived()
    {
        (_headerBytes, _receivedBytes) = (0, 0);
        _receiver.Arrived(Peer, _frame);
    }

    // The general case: a stream that only reads and writes.
    private async Task ReceiveLoopAsync()
    {
        var buffer = new byte[CoalescedBytes];
        try
        {
            while (!Ended.IsCompleted)
            {
                if (_isEarly && !TryPlace())
                {
                    await _receiver.BegunAsync(_frame.Position, _abandoned.Token);
                }
                else
                {
                    var count = await _stream.ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, Next().Length)), _abandoned.Token);
                    buffer.AsSpan(0, count).CopyTo(Next());
                    Advance(count);
                }
            }
        }
        catch (Exception exception)
            when (exception is IOException or InvalidDataException or ObjectDisposedException or OperationCanceledException)
        {
            End(exception);
        }
    }

    private async Task SendLoopAsync()
    {
        try
        {
            while (true)
            {
                await _queued.WaitAsync(_abandoned.Token);
                var buffer = Array.Empty<byte>();
                lock (_sending)
                {
                    if (TryNextFrame())
                        buffer = [.. _head.AsSpan(0, StreamFrame.HeaderBytes), .. MemoryMarshal.AsBytes(_unsent.Span)];
                    else if (_isCompleting)
                        break;
                    _isSending = false;
                }

                await _stream.WriteAsync(buffer, _abandoned.Token);
            }

            await _stream.FlushAsync(_abandoned.Token);
            if (_stream is SslStream encrypted)
                await encrypted.ShutdownAsync();
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
        {
            End(exception);
        }
        finally
        {
            _sent.TrySetResult();
        }
    }
}

/// <summary>What a link's socket is watched for.</summary>
[Flags]
internal enum LinkInterest
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Something to receive.</summary>
    Read = 1,

    /// <summary>Room to send.</summary>
    Write = 2,

    /// <summary>Another thread is receiving, or the next frame is early: poll again later.</summary>
    Later = 4,

    /// <summary>A waiting thread is receiving and sending: poll again soon.</summary>
    Soon = 8,
}
