using System.Threading.Channels;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Collectives;

/// <summary>Takes the frames that come over a link, one at a time and in order.</summary>
public interface IFrameReceiver
{
    /// <summary>Handles a frame; the link disposes it afterwards.</summary>
    /// <param name="peer">Who sent it: the number that the link was made with.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="cancellationToken">The link's end.</param>
    ValueTask ReceiveAsync(int peer, Frame frame, CancellationToken cancellationToken);
}

/// <summary>One end of an exchange stream: a queue and a sending loop, and a receiving loop. Either side may have opened it.</summary>
/// <param name="peer">The other end's number, passed to the receiver.</param>
/// <param name="incoming">The stream's reading side.</param>
/// <param name="outgoing">The stream's writing side.</param>
public sealed class FrameLink(int peer, IAsyncStreamReader<Frame> incoming, IAsyncStreamWriter<Frame> outgoing)
{
    // Bounded by the plan: a member queues what it sends in one step, and cannot complete the step before it has been sent. What the socket
    // takes at once is sent by the one who queues it, without waking another thread.
    private readonly Channel<(FrameHeader Header, ReadOnlyMemory<float> Values)> _queue = Channel.CreateUnbounded<(
        FrameHeader,
        ReadOnlyMemory<float>
    )>(new UnboundedChannelOptions { SingleReader = true, AllowSynchronousContinuations = true });

    private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _bytesSent;

    /// <summary>Ends when nothing that was queued is read any more: all of it has been sent, or the link has broken.</summary>
    public Task Sent => _sent.Task;

    /// <summary>Where the frames come from, if whoever waits for them may receive them itself.</summary>
    public IFrameSource? Source => incoming as IFrameSource;

    /// <summary>The other end's number.</summary>
    public int Peer { get; } = peer;

    /// <summary>The bytes of values that have been written to the stream.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>Queues a vector; it is cut into frames and must not change until the other side has acted on it.</summary>
    /// <param name="header">The header of the first frame; those that follow count its offset up.</param>
    /// <param name="values">The vector.</param>
    /// <remarks>On a link that has ended this does nothing: how it ended is reported to the exchange, once.</remarks>
    public void Send(FrameHeader header, ReadOnlyMemory<float> values) => _queue.Writer.TryWrite((header, values));

    /// <summary>Sends and receives until both directions have ended, or throws what ended one of them early.</summary>
    /// <param name="receiver">Takes the frames.</param>
    /// <param name="complete">Ends the outgoing direction of the stream once the queue is empty, if the stream needs it.</param>
    /// <param name="cancellationToken">Breaks the link.</param>
    public async Task RunAsync(IFrameReceiver receiver, Func<Task>? complete, CancellationToken cancellationToken)
    {
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = SendLoopAsync(complete, broken.Token);
        var receiving = ReceiveLoopAsync(receiver, broken.Token);
        try
        {
            await await Task.WhenAny(sending, receiving);
            await Task.WhenAll(sending, receiving);
        }
        catch
        {
            await broken.CancelAsync();
            throw;
        }
        finally
        {
            Close();
        }
    }

    /// <summary>Lets the link end once all that was queued has been sent.</summary>
    public void Close() => _queue.Writer.TryComplete();

    private async Task SendLoopAsync(Func<Task>? complete, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var (header, values) in _queue.Reader.ReadAllAsync(cancellationToken))
            {
                await SendVectorAsync(outgoing, header, values, cancellationToken);
                Interlocked.Add(ref _bytesSent, (long)values.Length * sizeof(float));
            }
        }
        finally
        {
            _sent.SetResult();
        }

        if (complete is not null)
            await complete();
    }

    private async Task ReceiveLoopAsync(IFrameReceiver receiver, CancellationToken cancellationToken)
    {
        while (await incoming.MoveNext(cancellationToken))
        {
            using var frame = incoming.Current;
            await receiver.ReceiveAsync(Peer, frame, cancellationToken);
        }

        // A peer ends its direction when it has all that it needs from this one; without an answer it would wait in vain.
        Close();
    }

    /// <summary>Writes a vector as frames; an empty one is one frame.</summary>
    internal static async Task SendVectorAsync(
        IAsyncStreamWriter<Frame> outgoing,
        FrameHeader header,
        ReadOnlyMemory<float> values,
        CancellationToken cancellationToken
    )
    {
        var start = 0;
        do
        {
            var piece = values.Slice(start, Math.Min(WireLimits.FrameElements, values.Length - start));
            await outgoing.WriteAsync(new Frame(header with { Offset = header.Offset + start }, piece), cancellationToken);
            start += piece.Length;
        } while (start < values.Length);
    }
}
