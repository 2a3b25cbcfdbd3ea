using Distributed.Protocol;

namespace Distributed.Collectives.Transports;

/// <summary>
/// How a member exchanges with the peers that it reaches by one transport; each pair of members chooses its own. All
/// methods but <see cref="Fail"/> and <see cref="IsOwedBy"/> are called by the compute thread.
/// </summary>
/// <remarks>
/// What a member publishes lies in its <see cref="ExchangeMemory"/> and does not change until every peer has read it: its nodes of a
/// step are overwritten in the next step only after it holds every owner's slices, which the owners published after they had read
/// the nodes; its slices are overwritten only after the contributions of all members to the same bucket of the next step have arrived
/// (an empty one counts), which a member makes only after it has applied all slices of the step before.
/// </remarks>
internal interface ITransport
{
    /// <summary>Begins an exchange: from here on the peers' contributions to it are taken.</summary>
    /// <param name="round">The exchange, see <see cref="ExchangeRound"/>; later than all before in this view.</param>
    void Begin(in ExchangeRound round);

    /// <summary>Lets the owners have this member's nodes of a bucket; also called by a member that has no nodes.</summary>
    /// <param name="bucket">The bucket's index; each is published once, in ascending order.</param>
    void PublishNodes(int bucket);

    /// <summary>Lets the peers have this member's slice of a bucket.</summary>
    /// <param name="bucket">The bucket's index; each is published once, in ascending order.</param>
    void PublishSlice(int bucket);

    /// <summary>Lets the peers have the records of this member's nodes.</summary>
    void PublishRecord();

    /// <summary>Whether all of what a peer owes in one part of the exchange has arrived. Does not wait.</summary>
    bool Has(int peer, in ExchangePart part);

    /// <summary>Blocks until <see cref="Has"/>.</summary>
    /// <exception cref="PeerFailureException">A peer was lost.</exception>
    void Wait(int peer, in ExchangePart part, CancellationToken cancellationToken);

    /// <summary>[this member's slice of the bucket]: the sum over one of a peer's nodes, once it has arrived.</summary>
    /// <param name="peer">The peer's rank.</param>
    /// <param name="place">The node's place in the plan.</param>
    /// <param name="bucket">The bucket's index.</param>
    ReadOnlySpan<float> Node(int peer, int place, int bucket);

    /// <summary>[the peer's slice of the bucket]: what the peer has published, once it has arrived.</summary>
    ReadOnlySpan<float> Slice(int peer, int bucket);

    /// <summary>[the peer's nodes, <see cref="NodeRecord.Length"/>]: the peer's records, once they have arrived.</summary>
    ReadOnlySpan<float> Record(int peer);

    /// <summary>Whether a peer has still to publish something of the exchange under way. Any thread may ask.</summary>
    bool IsOwedBy(int peer);

    /// <summary>Fails all present and future waits with an exception. Any thread may call it; the first failure wins.</summary>
    void Fail(Exception failure);
}

/// <summary>One exchange of a view.</summary>
/// <param name="Position">Its place in the run, see <see cref="Positions"/>. Orders all exchanges of a run.</param>
/// <param name="Parity">Alternates between the exchanges of a view.</param>
/// <param name="Plan">The plan; for an evaluation its buckets are not exchanged.</param>
/// <param name="HasGradient">Whether gradients are exchanged, or records alone.</param>
internal readonly record struct ExchangeRound(long Position, int Parity, ReductionPlan Plan, bool HasGradient);

/// <summary>What a peer can owe in an exchange.</summary>
internal enum PartKind
{
    /// <summary>Its nodes over this member's slice of a bucket.</summary>
    Nodes = 0,

    /// <summary>Its slice of a bucket.</summary>
    Slice,

    /// <summary>The records of its nodes.</summary>
    Record,
}

/// <summary>A part of an exchange that is waited for as one.</summary>
/// <param name="Kind">What.</param>
/// <param name="Bucket">The bucket's index; 0 for a record.</param>
internal readonly record struct ExchangePart(PartKind Kind, int Bucket);
