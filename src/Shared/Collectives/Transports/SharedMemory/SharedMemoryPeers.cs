using Distributed.Protocol;

namespace Distributed.Collectives.Transports.SharedMemory;

/// <summary>
/// Negotiates with each peer of a view whether both see the same memory, and keeps the outcome. The member
/// that opens the link to a peer offers its region and gets the peer's; each maps the other's and writes its own region's random number
/// into it, so that both have proof. Calls of several peers may come at once.
/// </summary>
internal sealed class SharedMemoryPeers : IDisposable
{
    private readonly ViewIdentity _identity;
    private readonly SharedRegion? _own;
    private readonly string _ownRefusal;
    private readonly Lock _lock = new();
    private readonly Dictionary<int, SharedRegion> _mapped = [];
    private readonly Dictionary<int, RegionOffer> _offers = [];
    private readonly Dictionary<int, string> _refusals = [];
    private readonly Dictionary<int, bool> _conclusions = [];
    private readonly int _ownThreads;
    private SharedTransport? _transport;
    private int _threads;
    private bool _isDisposed;

    /// <summary>Makes this member's region, if the system lets it.</summary>
    /// <param name="identity">The view, seen by this member.</param>
    /// <param name="buckets">The number of buckets of the view's plans.</param>
    /// <param name="nodes">How many tree nodes a member may have in a step.</param>
    /// <param name="length">The flat vector's length in elements.</param>
    /// <param name="threads">Threads that compute in this process.</param>
    public SharedMemoryPeers(ViewIdentity identity, int buckets, int nodes, int length, int threads)
    {
        ArgumentNullException.ThrowIfNull(identity);
        _identity = identity;
        _own = SharedRegion.TryCreate(new RegionLayout(identity.Members.Count, buckets, nodes, length), out _ownRefusal);
        _ownThreads = _threads = threads;
        Memory = _own is null ? null : new RegionMemory(_own);
    }

    /// <summary>This member's memory that peers map; null if there is none. It is gone when this is disposed.</summary>
    public ExchangeMemory? Memory { get; }

    /// <summary>How many peers are reached through memory.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _mapped.Count;
        }
    }

    /// <summary>The first peer that is not reached through memory, by name, and why not; empty if all are.</summary>
    public string Refusal
    {
        get
        {
            lock (_lock)
                return _refusals.Count == 0 ? "" : $"{_identity.Members[_refusals.Keys.Min()]}: {_refusals[_refusals.Keys.Min()]}";
        }
    }

    /// <summary>What this member tells a peer.</summary>
    public MemoryOffer Offer()
    {
        lock (_lock)
        {
            var message = _own is null || _isDisposed ? new MemoryOffer { Refusal = _ownRefusal } : _own.Offer().ToMessage();
            message.Threads = _ownThreads;
            return message;
        }
    }

    /// <summary>Takes the offer of a peer that opens a link to this member.</summary>
    /// <param name="peer">The peer's rank.</param>
    /// <param name="offer">What it offers.</param>
    /// <returns>This member's own, or why it cannot share memory with the peer.</returns>
    public MemoryOffer Answer(int peer, MemoryOffer offer)
    {
        ArgumentNullException.ThrowIfNull(offer);
        var answer = Offer();
        answer.Refusal = Map(peer, offer);
        return answer;
    }

    /// <summary>Takes the answer of a peer that this member opens a link to.</summary>
    /// <param name="peer">The peer's rank.</param>
    /// <param name="answer">What it answered to the offer.</param>
    /// <returns>Whether both share memory; to be sent in the link's greeting.</returns>
    public bool Complete(int peer, MemoryOffer answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        return Map(peer, answer).Length == 0 && Conclude(peer, isShared: true);
    }

    /// <summary>Takes the greeting of a link that a peer opens to this member.</summary>
    /// <param name="peer">The peer's rank.</param>
    /// <param name="isShared">Whether the peer says that both share memory.</param>
    /// <returns>Whether they do.</returns>
    public bool Conclude(int peer, bool isShared)
    {
        lock (_lock)
        {
            // A region may be in use by now: what a peer says a second time changes nothing.
            if (_conclusions.TryGetValue(peer, out var concluded))
                return concluded;
            var isOffered = _offers.TryGetValue(peer, out var offer);
            var isProved = isOffered && !_isDisposed && _own!.IsAnswered(peer, offer.Nonce);
            if (!isShared || !isProved)
                Refuse(peer, isShared ? "it has not written to this worker's memory" : "it does not see this worker's memory");
            if (isOffered)
                _conclusions.Add(peer, isShared && isProved);
            return isShared && isProved;
        }
    }

    /// <summary>
    /// Lets an exchange reach the peers that share memory with this member through it; before the first step, once all links are up.
    /// </summary>
    /// <returns>The ranks of those peers.</returns>
    public IReadOnlyCollection<int> Connect(AllReduce exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        lock (_lock)
        {
            if (_mapped.Count > 0)
            {
                _transport = new SharedTransport(_identity.Rank, _own!, _mapped, spins: _threads <= Environment.ProcessorCount);
                exchange.Use(_transport, _mapped.Keys);
            }

            return [.. _mapped.Keys];
        }
    }

    /// <summary>Unmaps everything; nothing may be exchanging any more.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _transport?.Dispose();
            foreach (var region in _mapped.Values)
                region.Dispose();
            _own?.Dispose();
        }
    }

    // Returns why not; empty if the offered region is mapped.
    private string Map(int peer, MemoryOffer message)
    {
        lock (_lock)
        {
            if (_offers.ContainsKey(peer) && !_isDisposed)
                return "it has offered its memory before";
            var refusal =
                _isDisposed ? "the view is over"
                : _own is null ? _ownRefusal
                : message.Refusal;
            if (refusal.Length == 0)
                refusal = Map(peer, RegionOffer.From(message));

            if (refusal.Length > 0)
                Refuse(peer, refusal);
            else
                _threads += message.Threads;
            return refusal;
        }
    }

    private string Map(int peer, RegionOffer offer)
    {
        if (SharedRegion.TryOpen(offer, _own!.Layout, out var refusal) is not { } region)
            return refusal;
        region.Answer(_identity.Rank, _own.Offer().Nonce);
        _mapped.Add(peer, region);
        _offers.Add(peer, offer);
        return "";
    }

    private void Refuse(int peer, string reason)
    {
        _refusals.TryAdd(peer, reason);
        if (_mapped.Remove(peer, out var region))
            region.Dispose();
    }
}
