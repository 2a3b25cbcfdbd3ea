using System.Threading.Channels;
using Distributed.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>One direction of an exchange in memory: what is written comes out as the bytes of the wire would.</summary>
internal sealed class FrameStream : IAsyncStreamReader<TensorFrame>, IAsyncStreamWriter<TensorFrame>
{
    private readonly Channel<byte[]> _messages = Channel.CreateUnbounded<byte[]>();

    public TensorFrame Current { get; private set; } = new();

    public WriteOptions? WriteOptions { get; set; }

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (!await _messages.Reader.WaitToReadAsync(cancellationToken) || !_messages.Reader.TryRead(out var bytes))
            return false;
        Current = TensorFrame.Parser.ParseFrom(bytes);
        return true;
    }

    public Task WriteAsync(TensorFrame message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(TensorFrame message, CancellationToken cancellationToken)
    {
        _messages.Writer.TryWrite(message.ToByteArray());
        return Task.CompletedTask;
    }

    /// <summary>Ends the direction: in order, or as a connection that broke.</summary>
    public Task EndAsync(Exception? failure = null)
    {
        _messages.Writer.TryComplete(failure);
        return Task.CompletedTask;
    }
}
