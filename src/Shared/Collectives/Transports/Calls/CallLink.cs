using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Collectives.Transports.Calls;

/// <summary>A link over an ordinary streaming call, through whatever proxy or mesh speaks HTTP/2.</summary>
[SuppressMessage("Design", "CA1001", Justification = "AbandonAsync ends it; a cancelled source holds nothing.")]
internal sealed class CallLink : Link
{
    /// <summary>The header of the call that carries the ticket.</summary>
    public const string TicketHeader = "ticket";

    /// <summary>The header that says whether both ends share memory.</summary>
    public const string SharedHeader = "shared-memory";

    // Bounded by the plan: a member queues what it sends in one step, and cannot complete the step before it has been sent.
    private readonly Channel<(LinkFrame Frame, ReadOnlyMemory<float> Values)> _queue = Channel.CreateUnbounded<(
        LinkFrame,
        ReadOnlyMemory<float>
    )>(new UnboundedChannelOptions { SingleReader = true });

    private readonly ViewIdentity _identity;
    private readonly ILinkReceiver _receiver;
    private readonly IAsyncStreamReader<TensorFrame> _incoming;
    private readonly IAsyncStreamWriter<TensorFrame> _outgoing;
    private readonly Func<Task>? _complete;
    private readonly IDisposable? _owned;
    private readonly CancellationTokenSource _abandoned = new();
    private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loops = Task.CompletedTask;

    /// <summary>Takes a call over.</summary>
    /// <param name="identity">The view.</param>
    /// <param name="peer">The peer's rank.</param>
    /// <param name="receiver">Takes what arrives.</param>
    /// <param name="incoming">The call's reading side.</param>
    /// <param name="outgoing">The call's writing side.</param>
    /// <param name="complete">Ends the writing side; null where the end of <see cref="RunAsync"/> does.</param>
    /// <param name="owned">Goes with the link.</param>
    public CallLink(
        ViewIdentity identity,
        int peer,
        ILinkReceiver receiver,
        IAsyncStreamReader<TensorFrame> incoming,
        IAsyncStreamWriter<TensorFrame> outgoing,
        Func<Task>? complete,
        IDisposable? owned
    )
        : base(peer)
    {
        (_identity, _receiver, _incoming, _outgoing, _complete, _owned) = (identity, receiver, incoming, outgoing, complete, owned);
    }

    /// <inheritdoc />
    public override void Start() => RunAsync();

    /// <summary>Sends and receives until both directions have ended.</summary>
    public Task RunAsync() => _loops = Task.WhenAll(SendLoopAsync(), ReceiveLoopAsync());

    /// <inheritdoc />
    public override Task CompleteAsync()
    {
        _queue.Writer.TryComplete();
        return _sent.Task;
    }

    /// <inheritdoc />
    public override async ValueTask AbandonAsync()
    {
        _queue.Writer.TryComplete();
        await _abandoned.CancelAsync();
        _owned?.Dispose();
        await _loops;
        End(new IOException("the link was abandoned"));
    }

    private protected override void Enqueue(in LinkFrame frame, ReadOnlyMemory<float> values) => _queue.Writer.TryWrite((frame, values));

    // A finished call throws all kinds of exceptions; the exchange decides what the end of a link means.
    private async Task SendLoopAsync()
    {
        try
        {
            await foreach (var (frame, values) in _queue.Reader.ReadAllAsync(_abandoned.Token))
            {
                await StateTransfer.SendVectorAsync(_outgoing, HeaderOf(frame), values, _abandoned.Token);
            }

            if (_complete is not null)
                await _complete();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            End(exception);
        }
        finally
        {
            _sent.TrySetResult();
        }
    }

    private async Task ReceiveLoopAsync()
    {
        try
        {
            while (await _incoming.MoveNext(_abandoned.Token))
            {
                var frame = _incoming.Current;
                if (frame.Run == _identity.Run && frame.Generation == _identity.Generation)
                    await TakeAsync(frame);
            }

            End(null);
            _queue.Writer.TryComplete(); // a peer that ends its direction has all that it needs
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            End(exception);
        }
    }

    private TensorFrame HeaderOf(in LinkFrame frame) =>
        new()
        {
            Run = _identity.Run,
            Epoch = _identity.Generation.Epoch,
            Number = _identity.Generation.Number,
            Step = (ulong)frame.Position,
            Kind = frame.Kind,
            Part = (uint)frame.Part,
            Offset = (ulong)frame.Offset,
        };

    private async Task TakeAsync(TensorFrame frame)
    {
        var arrived = checked(new LinkFrame(frame.Kind, (int)frame.Part, (long)frame.Step, (int)frame.Offset, frame.Floats.Length));
        Memory<float> destination;
        while (!_receiver.TryPlace(Peer, arrived, out destination))
            await _receiver.BegunAsync(arrived.Position, _abandoned.Token);
        frame.Floats.CopyTo(destination.Span);
        _receiver.Arrived(Peer, arrived);
    }
}
