using System.Buffers;
using System.Threading.Channels;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>One direction of an exchange in memory: what is written comes out as the bytes of the wire would.</summary>
internal sealed class FrameStream : IAsyncStreamReader<Frame>, IAsyncStreamWriter<Frame>
{
    private readonly Channel<byte[]> _messages = Channel.CreateUnbounded<byte[]>();

    public Frame Current { get; private set; } = new(default);

    public WriteOptions? WriteOptions { get; set; }

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (!await _messages.Reader.WaitToReadAsync(cancellationToken) || !_messages.Reader.TryRead(out var bytes))
            return false;
        Current = FrameMarshaller.Read(new ReadOnlySequence<byte>(bytes));
        return true;
    }

    public Task WriteAsync(Frame message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(Frame message, CancellationToken cancellationToken)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameMarshaller.Write(message, output);
        _messages.Writer.TryWrite(output.WrittenSpan.ToArray());
        return Task.CompletedTask;
    }

    /// <summary>Ends the direction: in order, or as a connection that broke.</summary>
    public Task EndAsync(Exception? failure = null)
    {
        _messages.Writer.TryComplete(failure);
        return Task.CompletedTask;
    }
}
