using System.Threading.Channels;
using Distributed.Protocol.Http2;
using Grpc.Core;

namespace Distributed.Protocol;

/// <summary>
/// The frames of a call that come over a <see cref="ReceivingConnection"/>: the greeting by way of the server, and after
/// <see cref="Begin"/> all others past it, their values straight to where they belong.
/// </summary>
/// <param name="call">The call's messages that come by way of the server.</param>
/// <param name="connection">The call's connection.</param>
/// <param name="stream">The call's HTTP/2 stream.</param>
/// <param name="sink">Knows where the values of received frames belong; null if nobody does.</param>
public sealed class DirectFrameReader(IAsyncStreamReader<Frame> call, ReceivingConnection connection, int stream, IFrameSink? sink)
    : IAsyncStreamReader<Frame>,
        IFrameSource,
        IMessageReceiver
{
    // What is read is handled where it is received.
    private readonly Channel<Frame> _frames = Channel.CreateBounded<Frame>(
        new BoundedChannelOptions(1)
        {
            SingleReader = true,
            SingleWriter = true,
            AllowSynchronousContinuations = true,
        }
    );

    private Frame? _arriving;
    private Frame? _current;
    private CancellationTokenRegistration? _cancellation;
    private bool _isDirect;

    /// <inheritdoc />
    public Frame Current => _current ?? call.Current;

    int IMessageReceiver.PrefixBytes => FrameMarshaller.MaximumPrefixBytes;

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

    /// <inheritdoc />
    public bool Receive() => connection.Receive();

    /// <inheritdoc />
    public void Wait(TimeSpan atMost) => connection.Wait(atMost);

    bool IMessageReceiver.TryBegin(ReadOnlyMemory<byte> first, int length, out int prefix, out Memory<float> values)
    {
        values = default;
        try
        {
            prefix = FrameMarshaller.ReadPrefix(first, length, out var header);
            if (_frames.Reader.Count > 0 || sink?.IsEarly(header) == true)
                return false;
            _arriving = Frame.Receive(header, length - prefix, sink);
            values = _arriving.Destination;
            return true;
        }
        catch (InvalidDataException exception)
        {
            _frames.Writer.TryComplete(exception);
            throw new IOException(exception.Message, exception);
        }
    }

    void IMessageReceiver.Complete()
    {
        if (!_frames.Writer.TryWrite(_arriving!))
            throw new IOException("the call is over");
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

        connection.EndDiversion();
        _frames.Writer.TryComplete(failure);
    }
}
