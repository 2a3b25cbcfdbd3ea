using System.Threading.Channels;
using Distributed.Protocol.Http2;
using Grpc.Core;

namespace Distributed.Protocol;

/// <summary>
/// The frames of a call that come over a <see cref="ReceivingConnection"/>: the greeting by way of the server, and after <see cref="Begin"/> all others past it, their
/// values straight to where they belong.
/// </summary>
/// <param name="call">The call's messages that come by way of the server.</param>
/// <param name="connection">The call's connection.</param>
/// <param name="stream">The call's HTTP/2 stream.</param>
/// <param name="sink">Knows where the values of received frames belong; null if nobody does.</param>
public sealed class DirectFrameReader(IAsyncStreamReader<Frame> call, ReceivingConnection connection, int stream, IFrameSink? sink) : IAsyncStreamReader<Frame>, IMessageReceiver
{
    // What is read is handled where it is received: one frame more may come meanwhile.
    private readonly Channel<Frame> _frames = Channel.CreateBounded<Frame>(new BoundedChannelOptions(1) { SingleReader = true, SingleWriter = true, AllowSynchronousContinuations = true });

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously); // over, and nothing is being received
    private Frame? _current;
    private CancellationTokenRegistration? _cancellation;
    private bool _isDirect;
    private bool _isReceiving;
    private bool _isOver;

    /// <inheritdoc />
    public Frame Current => _current ?? call.Current;

    /// <summary>Receives the frames past the server from now on; before the other side is told that it may send them.</summary>
    public void Begin()
    {
        _isDirect = true;
        connection.Divert(stream, this);
        _ = EndAsync();
    }

    /// <inheritdoc />
    /// <remarks>When it has ended in whatever way, no memory of the sink is written to any more.</remarks>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (!_isDirect)
            return await call.MoveNext(cancellationToken);
        _cancellation ??= cancellationToken.UnsafeRegister(static connection => ((ReceivingConnection)connection!).Dispose(), connection);
        return await _frames.Reader.WaitToReadAsync(CancellationToken.None) && _frames.Reader.TryRead(out _current);
    }

    async ValueTask IMessageReceiver.ReceiveAsync(ReceivingConnection connection, int length, CancellationToken cancellationToken)
    {
        try
        {
            await _frames.Writer.WriteAsync(await ReceiveFrameAsync(length, cancellationToken), cancellationToken);
        }
        catch (Exception exception) when (exception is InvalidDataException or ChannelClosedException)
        {
            _frames.Writer.TryComplete(exception);
            throw new IOException("the call is over", exception);
        }
    }

    private async ValueTask<Frame> ReceiveFrameAsync(int length, CancellationToken cancellationToken)
    {
        lock (_lock)
            _isReceiving = !_isOver ? true : throw new ChannelClosedException();
        try
        {
            var first = await connection.PeekAsync(Math.Min(length, FrameMarshaller.MaximumPrefixBytes), cancellationToken);
            var prefix = FrameMarshaller.ReadPrefix(first, length, out var header);
            connection.Skip(prefix);
            var frame = Frame.Receive(header, length - prefix, sink);
            await connection.ReceiveAsync(frame.Destination, cancellationToken);
            return frame;
        }
        finally
        {
            lock (_lock)
            {
                _isReceiving = false;
                if (_isOver)
                    _idle.SetResult();
            }
        }
    }

    // The call's end comes by way of the server, after all that was sent before it.
    private async Task EndAsync()
    {
        Exception? failure = null;
        try
        {
            if (await call.MoveNext(CancellationToken.None))
                throw new InvalidDataException("a message came by another way than was agreed on");
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            failure = exception;
            await connection.DisposeAsync();
        }

        lock (_lock)
        {
            _isOver = true;
            if (!_isReceiving)
                _idle.SetResult();
        }

        await _idle.Task;
        _frames.Writer.TryComplete(failure);
    }
}
