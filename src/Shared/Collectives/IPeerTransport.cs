using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>
/// How a member of a view exchanges with those of its peers that it reaches in one way; which way is decided for each pair of
/// members. All methods but <see cref="Fail"/> and <see cref="IsOwedBy"/> are called by the one thread that computes.
/// </summary>
/// <remarks>
/// What a member publishes lies in its <see cref="PublishedMemory"/> and does not change until every peer has read it:
/// its blocks of a step are overwritten in the next step only after it holds every owner's reduced slices, which the owners
/// published after they had read the blocks; its reduced slices are overwritten only after the contributions of all
/// members to the same bucket of the next step are there (that of a member without blocks counts), which a member makes only after it
/// has applied all slices of the step before.
/// </remarks>
internal interface IPeerTransport
{
    /// <summary>Begins a step: from here on the peers' contributions to it are taken.</summary>
    /// <param name="step">The step; later than all before in this view.</param>
    /// <param name="plan">The step's plan.</param>
    void Begin(long step, ReductionPlan plan);

    /// <summary>Lets the peers have this member's blocks of a bucket; also called by a member that has no blocks.</summary>
    /// <param name="bucket">The bucket's index; each is published once, in ascending order.</param>
    void PublishBlocks(int bucket);

    /// <summary>Lets the peers have this member's reduced slice of a bucket.</summary>
    /// <param name="bucket">The bucket's index; each is published once, in ascending order.</param>
    void PublishSlice(int bucket);

    /// <summary>Whether all of a peer's blocks are there over this member's slice of a bucket. Does not wait.</summary>
    bool HasBlocks(int peer, int bucket);

    /// <summary>Whether a peer's reduced slice of a bucket is there. Does not wait.</summary>
    bool HasSlice(int peer, int bucket);

    /// <summary>Blocks until <see cref="HasBlocks"/>.</summary>
    /// <exception cref="PeerFailureException">A peer was lost.</exception>
    void WaitForBlocks(int peer, int bucket, CancellationToken cancellationToken);

    /// <summary>Blocks until <see cref="HasSlice"/>.</summary>
    /// <exception cref="PeerFailureException">A peer was lost.</exception>
    void WaitForSlice(int peer, int bucket, CancellationToken cancellationToken);

    /// <summary>[this member's slice of the bucket]: the sum over one of a peer's blocks, once <see cref="HasBlocks"/>.</summary>
    /// <param name="peer">The peer's rank.</param>
    /// <param name="place">The block's place in the plan.</param>
    /// <param name="bucket">The bucket's index.</param>
    ReadOnlySpan<float> Block(int peer, int place, int bucket);

    /// <summary>[the peer's slice of the bucket]: the sum over all microbatches, once <see cref="HasSlice"/>.</summary>
    ReadOnlySpan<float> Slice(int peer, int bucket);

    /// <summary>Whether a peer has still to publish something of the step under way. Any thread may ask.</summary>
    bool IsOwedBy(int peer);

    /// <summary>Ends all waiting, now and for good, with an exception. Any thread may call it; the first failure counts.</summary>
    void Fail(Exception failure);
}
