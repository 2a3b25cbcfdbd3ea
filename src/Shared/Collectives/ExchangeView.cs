using System.Net.Sockets;
using Distributed.Collectives.Transports;
using Distributed.Collectives.Transports.Calls;
using Distributed.Collectives.Transports.SharedMemory;
using Distributed.Collectives.Transports.Streams;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Collectives;

/// <summary>What the members of a view exchange, and how.</summary>
/// <param name="Plans">The plans of the view's steps.</param>
/// <param name="Length">The flat vector's length in elements.</param>
/// <param name="Microbatches">Microbatches of the largest batch.</param>
/// <param name="Threads">Threads that compute in this process.</param>
/// <param name="Transport">How gradients are to travel.</param>
/// <param name="UsesLocalSockets">Whether raw streams inside a host are Unix domain sockets where there are some.</param>
internal sealed record ExchangeSettings(
    ReductionPlans Plans,
    int Length,
    int Microbatches,
    int Threads,
    TransportMode Transport,
    bool UsesLocalSockets = true
);

/// <summary>How many peers of a view are reached in which way.</summary>
/// <param name="Memory">Through shared memory.</param>
/// <param name="Streams">Over raw streams.</param>
/// <param name="LocalStreams">How many of these are Unix domain sockets.</param>
/// <param name="Calls">In streaming calls.</param>
/// <param name="Refusal">Why a peer uses a slower transport than requested, with its name; empty if none does.</param>
internal readonly record struct PeerWays(int Memory, int Streams, int LocalStreams, int Calls, string Refusal);

/// <summary>
/// A membership view in which this process exchanges: its memory, its links to the peers, and the all-reduce that runs over them.
/// </summary>
/// <remarks>
/// The higher rank of a pair dials, see <see cref="PeerDialer"/>; a worker always dials the parameter server. Pairs that share memory
/// keep the link to notice each other's end.
/// </remarks>
internal sealed class ExchangeView : IAsyncDisposable
{
    /// <summary>How long the last frames of a view may take to leave.</summary>
    private static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(5);

    private readonly ViewIdentity _identity;
    private readonly TransportMode _transport;
    private readonly ReductionPlan _plan;
    private readonly SharedMemoryPeers? _sharedMemory;
    private readonly LinkTransport _frames;
    private readonly PeerDialer _dialer;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private readonly Link?[] _links; // by rank; under the lock
    private readonly TaskCompletionSource<Link>[] _accepted; // by rank, for the peers that dial
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running; // steps under way: 0 or 1; under the lock
    private bool _isOver; // under the lock
    private Task? _abandoning; // under the lock

    private ExchangeView(ViewIdentity identity, ExchangeSettings settings, RunToken? token)
    {
        (_identity, _transport) = (identity, settings.Transport);
        _plan = settings.Plans.For(1);
        var peers = Enumerable.Range(0, identity.Members.Count).Where(peer => _plan.Exchange(identity.Rank, peer)).ToList();
        Peers = peers;
        _sharedMemory =
            settings.Transport is TransportMode.Grpc or TransportMode.Tcp || peers.Count == 0
                ? null
                : new SharedMemoryPeers(
                    identity,
                    settings.Plans.For(settings.Microbatches).Buckets.Count,
                    ReductionTree.MaximumNodes(settings.Microbatches),
                    settings.Length,
                    settings.Threads
                );
        Memory = _sharedMemory?.Memory ?? new PrivateMemory(settings.Length);
        Exchange = new AllReduce(identity, settings.Plans, Memory);
        _links = new Link?[identity.Members.Count];
        _accepted = [.. identity.Members.Select(_ => new TaskCompletionSource<Link>(TaskCreationOptions.RunContinuationsAsynchronously))];
        _frames = new LinkTransport(identity.Rank, identity.Members.Count, peers, Memory);
        _dialer = new PeerDialer(identity, settings, _sharedMemory, _frames, token);
    }

    /// <summary>Sums the gradients.</summary>
    public AllReduce Exchange { get; }

    /// <summary>Where this member's gradients are to be put; gone when the view is.</summary>
    public ExchangeMemory Memory { get; }

    /// <summary>Ends with the view: checked by everything that computes for it.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>How the peers are reached.</summary>
    public PeerWays Ways { get; private set; }

    /// <summary>The bytes of gradient and weights that this member has sent in frames.</summary>
    public long BytesSent
    {
        get
        {
            lock (_lock)
                return _links.Sum(link => link?.BytesSent ?? 0);
        }
    }

    /// <summary>The run's identity.</summary>
    internal ulong Run => _identity.Run;

    /// <summary>The view's generation.</summary>
    internal ViewGeneration Generation => _identity.Generation;

    private List<int> Peers { get; }

    /// <summary>Reaches every peer of a view.</summary>
    /// <param name="identity">The view, as this member sees it.</param>
    /// <param name="addresses">Where the members are, in order of rank.</param>
    /// <param name="settings">What is exchanged, and how.</param>
    /// <param name="token">The run's token.</param>
    /// <param name="directory">Lets peers find the view.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PeerFailureException">A peer cannot be reached.</exception>
    /// <exception cref="InputException">A transport was asked for that a peer cannot be reached by.</exception>
    public static async Task<ExchangeView> OpenAsync(
        ViewIdentity identity,
        IReadOnlyList<string> addresses,
        ExchangeSettings settings,
        RunToken? token,
        ViewDirectory directory,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(directory);
        var view = new ExchangeView(identity, settings, token);
        try
        {
            directory.Enter(view);
            using var opening = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, view.Stopping);
            await Task.WhenAll(view.Peers.Select(peer => view.ReachAsync(peer, addresses[peer], opening)));
            view.Connect();
            return view;
        }
        catch
        {
            await view.AbandonAsync();
            throw;
        }
    }

    /// <summary>Runs a step on the calling thread, unless the view is over; while it runs, the view's memory stays.</summary>
    /// <param name="step">The step; it checks <see cref="Stopping"/> often.</param>
    /// <exception cref="OperationCanceledException">The view was abandoned.</exception>
    public void RunStep(Action step)
    {
        ArgumentNullException.ThrowIfNull(step);
        lock (_lock)
        {
            if (_isOver)
                throw new OperationCanceledException("the view is over", _stopping.Token);
            _running++;
        }

        try
        {
            step();
        }
        finally
        {
            lock (_lock)
            {
                _running--;
                if (_isOver)
                    _idle.TrySetResult();
            }
        }
    }

    /// <summary>
    /// Ends the view at any point, also in the middle of a step. When this completes, nothing of the view touches memory or can complete
    /// a step: the compute thread has left it, sockets are closed, loops have ended, and shared memory is unmapped last.
    /// </summary>
    public Task AbandonAsync()
    {
        lock (_lock)
            return _abandoning ??= AbandonOnceAsync();
    }

    private async Task AbandonOnceAsync()
    {
        await _stopping.CancelAsync();
        Exchange.Fail(new OperationCanceledException("the view was abandoned", _stopping.Token));
        await LeaveStepAsync();
        foreach (var link in Links())
            await link.AbandonAsync();
        _sharedMemory?.Dispose();
    }

    /// <summary>
    /// Leaves after the view's last step: sends what is queued, waits a bounded time for the peers to receive it, and closes the links.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        await LeaveStepAsync();
        var links = Links();
        var completing = Task.WhenAll(links.Select(link => Task.WhenAll(link.CompleteAsync(), link.Ended)));
        await Task.WhenAny(completing, Task.Delay(ClosingTime));
        await AbandonAsync();
    }

    /// <summary>Answers a peer that asks to exchange.</summary>
    /// <param name="rank">The peer's rank.</param>
    /// <param name="offer">Its memory.</param>
    /// <exception cref="RpcException">The view does not expect the peer to dial.</exception>
    internal MemoryOffer Answer(int rank, MemoryOffer offer)
    {
        if (!Peers.Contains(rank) || Dials(_identity.Rank, rank))
            throw new RpcException(new Status(StatusCode.PermissionDenied, "the view does not expect this member to dial"));
        return _sharedMemory?.Answer(rank, offer) ?? new MemoryOffer { Refusal = "it does not share memory in this view" };
    }

    /// <summary>Takes a raw stream that a peer has opened with its ticket.</summary>
    internal bool TryAccept(int rank, bool isShared, Socket socket)
    {
        var link = new StreamLink(rank, new NetworkStream(socket, ownsSocket: true), _frames);
        if (!TryAccept(isShared, link))
            return false;
        link.Start();
        return true;
    }

    /// <summary>Takes an exchange call that a peer has opened with its ticket, and runs it to its end.</summary>
    internal async Task AcceptAsync(
        int rank,
        bool isShared,
        IAsyncStreamReader<TensorFrame> incoming,
        IAsyncStreamWriter<TensorFrame> outgoing
    )
    {
        var link = new CallLink(_identity, rank, _frames, incoming, outgoing, complete: null, owned: null);
        if (!TryAccept(isShared, link))
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "the view is over, or has a link to this member"));
        await link.RunAsync();
    }

    // The worker dials: the parameter server may be unable to reach it.
    private bool Dials(int rank, int peer) => peer >= _plan.Workers || (rank < _plan.Workers && rank > peer);

    // The first failure ends the waiting for the others. A peer that has to dial may first do much that it was granted; if it cannot
    // reach this process, it says so.
    private async Task ReachAsync(int peer, string address, CancellationTokenSource opening)
    {
        try
        {
            await (Dials(_identity.Rank, peer) ? DialAsync(peer, address, opening.Token) : _accepted[peer].Task.WaitAsync(opening.Token));
        }
        catch
        {
            await opening.CancelAsync();
            throw;
        }
    }

    private void Connect()
    {
        var refusal = _sharedMemory?.Refusal ?? "";
        if (_transport == TransportMode.Shm && refusal.Length > 0)
            throw new InputException($"--transport shm: no memory is shared with {refusal}; use auto, tcp or grpc");
        var shared = _sharedMemory?.Connect(Exchange) ?? [];
        _frames.Release(shared);
        Exchange.Use(_frames, Peers.Except(shared));
        List<Link> used = [.. Links().Where(link => !shared.Contains(link.Peer))];
        List<StreamLink> streams = [.. used.OfType<StreamLink>()];
        Ways = new PeerWays(
            shared.Count,
            streams.Count,
            streams.Count(link => link.IsLocal),
            used.Count - streams.Count,
            refusal.Length > 0 ? refusal : _dialer.Refusal
        );
    }

    private async Task DialAsync(int peer, string address, CancellationToken cancellationToken)
    {
        var link = await _dialer.DialAsync(peer, address, cancellationToken);
        if (TryAttach(link))
        {
            link.Start();
            return;
        }

        await link.AbandonAsync();
        throw new OperationCanceledException("the view is over", _stopping.Token);
    }

    private bool TryAccept(bool isShared, Link link)
    {
        if ((_sharedMemory?.Conclude(link.Peer, isShared) ?? false) != isShared || !TryAttach(link))
            return false;
        return _accepted[link.Peer].TrySetResult(link);
    }

    private bool TryAttach(Link link)
    {
        lock (_lock)
        {
            if (_isOver || _links[link.Peer] is not null)
                return false;
            _links[link.Peer] = link;
        }

        _frames.Attach(link);
        _ = TellEndAsync(link);
        return true;
    }

    // The exchange decides what the end of a link means.
    private async Task TellEndAsync(Link link) => Exchange.LinkEnded(link.Peer, await link.Ended);

    private Link[] Links()
    {
        lock (_lock)
            return [.. _links.OfType<Link>()];
    }

    private Task LeaveStepAsync()
    {
        lock (_lock)
        {
            _isOver = true;
            if (_running == 0)
                _idle.TrySetResult();
        }

        return _idle.Task;
    }
}
