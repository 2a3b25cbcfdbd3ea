using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>
/// What the exchanges of a view share: a link to each peer, the step that is under way, the values that each peer still
/// owes, and the one failure that ends it all.
/// </summary>
public abstract class ViewExchange : IFrameReceiver, IFrameSink
{
    private const long NoStep = -1;

    private readonly FrameLink?[] _links;
    private readonly IFrameSource?[] _sources;
    private readonly Ending?[] _endings;
    private readonly StepGate _gate = new();
    private long _open = NoStep; // the step whose values may be received to where they belong

    /// <summary>Prepares the exchange of one view.</summary>
    /// <param name="identity">The view, seen by this member.</param>
    /// <param name="peers">The names of those that links lead to, by the links' numbers.</param>
    /// <param name="plans">The plans of the view's steps.</param>
    private protected ViewExchange(ExchangeIdentity identity, IReadOnlyList<string> peers, ReductionPlans plans)
    {
        Identity = identity;
        Peers = peers;
        Plans = plans;
        Plan = plans.For(1);
        _links = new FrameLink?[peers.Count];
        _sources = new IFrameSource?[peers.Count];
        _endings = new Ending?[peers.Count];
    }

    /// <summary>The bytes of values that this member has sent in frames.</summary>
    public long BytesSent => _links.Sum(link => link?.BytesSent ?? 0);

    /// <summary>What this member waits for at the moment.</summary>
    public Phase Phase { get; private protected set; } = Phase.ReduceScatter;

    /// <summary>The view, seen by this member.</summary>
    protected ExchangeIdentity Identity { get; }

    /// <summary>The step under way.</summary>
    protected long Step { get; private set; }

    /// <summary>The plan of the step under way.</summary>
    protected ReductionPlan Plan { get; private set; }

    private IReadOnlyList<string> Peers { get; }

    private ReductionPlans Plans { get; }

    /// <summary>Gives the exchange its way to a peer; before the first step.</summary>
    /// <param name="link">The link, made with the peer's number.</param>
    public void Attach(FrameLink link)
    {
        ArgumentNullException.ThrowIfNull(link);
        _links[link.Peer] = link;
    }

    /// <summary>Gives the exchange a way to receive from a peer on the thread that waits; before the first step.</summary>
    /// <param name="peer">The peer's number.</param>
    /// <param name="source">Where its frames come from.</param>
    public void Attach(int peer, IFrameSource source) => _sources[peer] = source;

    /// <inheritdoc />
    public async ValueTask ReceiveAsync(int peer, Frame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (Identity.Owns(frame.Header) && await _gate.WaitAsync(frame.Header.Step, cancellationToken))
            Take(peer, frame);
    }

    /// <inheritdoc />
    public Memory<float> Destination(in FrameHeader header, int count) =>
        Identity.Owns(header) && header.Step == Volatile.Read(ref _open) ? Place(header, count) : default;

    /// <inheritdoc />
    public bool IsEarly(in FrameHeader header) => Identity.Owns(header) && !_gate.IsOpen(header.Step);

    /// <summary>
    /// Says that a link has ended. A peer that owes nothing may go; one that still owes values, now or in the next step, is lost.
    /// </summary>
    /// <param name="peer">The peer's number.</param>
    /// <param name="exception">What broke the link, or null if it ended in order.</param>
    public void LinkEnded(int peer, Exception? exception)
    {
        Volatile.Write(
            ref _endings[peer],
            exception is null ? new Ending("it closed the connection", null) : new Ending(WireErrors.Cause(exception), exception)
        );
        CheckEnding(peer);
    }

    /// <summary>Lets the links end once all that was sent is out; after the view's last step.</summary>
    public void Close()
    {
        Volatile.Write(ref _open, NoStep);
        foreach (var link in _links)
            link?.Close();
    }

    /// <summary>Begins a step: from here on, what peers send for it is taken.</summary>
    private protected ReductionPlan BeginStep(long step, int microbatches)
    {
        Volatile.Write(ref _open, NoStep);
        Plan = Plans.For(microbatches);
        Step = step;
        Phase = Phase.ReduceScatter;
        Expect(Plan);
        Volatile.Write(ref _open, step);
        _gate.Open(step);
        for (var peer = 0; peer < _endings.Length; peer++)
            CheckEnding(peer);
        return Plan;
    }

    /// <summary>Counts what each peer will send in the step.</summary>
    private protected abstract void Expect(ReductionPlan plan);

    /// <summary>
    /// Where the values of a frame of the step under way belong, before it is known who sends it; nothing if they belong nowhere.
    /// </summary>
    private protected virtual Memory<float> Place(in FrameHeader header, int count) => default;

    /// <summary>Takes a frame of the step under way.</summary>
    private protected abstract void Take(int peer, Frame frame);

    /// <summary>Whether a peer has still to send something of the step under way.</summary>
    private protected abstract bool IsOwedBy(int peer);

    /// <summary>Ends all waiting, now and for good; the first failure is the one that counts.</summary>
    private protected abstract void Fail(Exception failure);

    private protected FrameLink Link(int peer) =>
        _links[peer] ?? throw new InvalidOperationException($"There is no link to {Peers[peer]}.");

    private protected IFrameSource? Source(int peer) => _sources[peer];

    private protected InvalidDataException Unexpected(int peer, Frame frame) =>
        new(
            $"{Peers[peer]} sent a frame ({frame.Header.Kind}, part {frame.Header.Part}, offset {frame.Header.Offset}) that the plan does not expect of it"
        );

    private void CheckEnding(int peer)
    {
        if (Volatile.Read(ref _endings[peer]) is { } ending && IsOwedBy(peer))
            Fail(new PeerFailureException(Peers[peer], Step, Phase, ending.Cause, ending.Exception));
    }

    private sealed record Ending(string Cause, Exception? Exception);
}
