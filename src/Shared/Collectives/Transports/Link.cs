using Distributed.Protocol;

namespace Distributed.Collectives.Transports;

/// <summary>All of a frame but its values. Run and generation are fixed by the link, which belongs to one view.</summary>
/// <param name="Kind">What the values are.</param>
/// <param name="Part">The first microbatch of a node; 0 otherwise.</param>
/// <param name="Position">The exchange that the frame belongs to, see <see cref="ExchangeRound.Position"/>.</param>
/// <param name="Offset">Where in the flat vector the values begin, in elements.</param>
/// <param name="Count">How many there are.</param>
internal readonly record struct LinkFrame(FrameKind Kind, int Part, long Position, int Offset, int Count);

/// <summary>Takes the frames that arrive over links. Any thread may call it, one at a time for each peer.</summary>
internal interface ILinkReceiver
{
    /// <summary>Where the values of a frame belong.</summary>
    /// <param name="peer">Who sends it.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="destination">[frame.Count].</param>
    /// <returns>False if the frame's exchange has not begun here: it waits, and is offered again.</returns>
    /// <exception cref="InvalidDataException">The plan does not expect such a frame of the peer.</exception>
    bool TryPlace(int peer, in LinkFrame frame, out Memory<float> destination);

    /// <summary>Counts a frame whose values are in place.</summary>
    void Arrived(int peer, in LinkFrame frame);

    /// <summary>Completes when an exchange has begun.</summary>
    Task BegunAsync(long position, CancellationToken cancellationToken);
}

/// <summary>
/// One duplex connection between two members of a view. Sending never blocks the caller: what the connection does not take at once
/// is sent in the background, from memory that the exchange leaves alone until the peer has acted on it.
/// </summary>
/// <param name="peer">The peer's rank.</param>
internal abstract class Link(int peer)
{
    private readonly TaskCompletionSource<Exception?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _bytesSent;

    /// <summary>The peer's rank.</summary>
    public int Peer { get; } = peer;

    /// <summary>Completes when the peer has ended its direction, with null, or with what broke the link.</summary>
    public Task<Exception?> Ended => _ended.Task;

    /// <summary>The bytes of gradient and weights that have been handed to <see cref="Send"/>.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    /// <summary>Begins to send and to receive.</summary>
    public abstract void Start();

    /// <summary>Sends a frame. On a link that has ended this does nothing: how it ended is reported once.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="values">[frame.Count]; must not change until the peer has acted on it.</param>
    public void Send(in LinkFrame frame, ReadOnlyMemory<float> values)
    {
        if (frame.Kind is FrameKind.Node or FrameKind.Slice)
            Interlocked.Add(ref _bytesSent, (long)values.Length * sizeof(float));
        Enqueue(frame, values);
    }

    /// <summary>Receives what has arrived on the calling thread, if the link allows that.</summary>
    /// <returns>False if another thread is receiving, or nothing more will come.</returns>
    public virtual bool Receive() => false;

    /// <summary>Waits until there is something to receive. It may not return for what another thread receives meanwhile.</summary>
    /// <param name="atMost">How long.</param>
    public virtual void Wait(TimeSpan atMost) { }

    /// <summary>Sends what is queued and ends this side's direction; completes when that is done, or the link has broken.</summary>
    public abstract Task CompleteAsync();

    /// <summary>Breaks the link: when this completes, it touches no memory of the exchange any more.</summary>
    public abstract ValueTask AbandonAsync();

    private protected abstract void Enqueue(in LinkFrame frame, ReadOnlyMemory<float> values);

    private protected void End(Exception? failure) => _ended.TrySetResult(failure);
}
