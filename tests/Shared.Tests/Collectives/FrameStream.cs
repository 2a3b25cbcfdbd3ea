using System.Buffers;
using System.Threading.Channels;
using Distributed.Collectives;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>One direction of an exchange in memory: what is written comes out as the bytes of the wire would.</summary>
internal sealed class FrameStream : IAsyncStreamReader<Frame>, IAsyncStreamWriter<Frame>
{
    private readonly Channel<byte[]> _messages = Channel.CreateUnbounded<byte[]>();

    public Frame Current { get; private set; } = new(default);

    /// <summary>Knows where what is read belongs, as in a worker.</summary>
    public IFrameSink? Sink { get; set; }

    public WriteOptions? WriteOptions { get; set; }

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (!await _messages.Reader.WaitToReadAsync(cancellationToken) || !_messages.Reader.TryRead(out var bytes))
            return false;
        Current = FrameMarshaller.Read(new ReadOnlySequence<byte>(bytes), Sink);
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

/// <summary>The two directions between two members.</summary>
internal sealed class FramePipe
{
    private readonly FrameStream _there = new();
    private readonly FrameStream _back = new();

    /// <summary>Breaks both directions.</summary>
    public void Break(Exception failure)
    {
        _there.EndAsync(failure);
        _back.EndAsync(failure);
    }

    /// <summary>Runs one end as a member of a view does, until the link ends.</summary>
    /// <param name="exchange">Whose end.</param>
    /// <param name="peer">The other end's number.</param>
    /// <param name="isFar">Which of the two ends.</param>
    public Task Run(ViewExchange exchange, int peer, bool isFar)
    {
        var (incoming, outgoing) = isFar ? (_there, _back) : (_back, _there);
        incoming.Sink = exchange;
        var link = new FrameLink(peer, incoming, outgoing);
        exchange.Attach(link);
        return RunAsync(exchange, link, outgoing);
    }

    private static async Task RunAsync(ViewExchange exchange, FrameLink link, FrameStream outgoing)
    {
        Exception? failure = null;
        try
        {
            await link.RunAsync(exchange, () => outgoing.EndAsync(), CancellationToken.None);
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        exchange.LinkEnded(link.Peer, failure);
    }
}
