using Distributed.Model;
using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>
/// Sums a step's gradient over all workers of a view, which own its slices: reduce-scatter (each publishes its blocks to the
/// owners), the tree, and all-gather (each owner publishes its reduced slices to the others). Two rounds, whatever the number of
/// workers.
/// </summary>
/// <remarks>
/// It goes bucket by bucket and needs no thread of its own: whenever the backward pass has completed a part of the gradient, the
/// thread that computes publishes the buckets in it, and does what else can be done without waiting. Only
/// <see cref="Complete"/> waits. Why nothing is overwritten that a peer still reads is told at <see cref="IPeerTransport"/>.
/// </remarks>
public sealed class PeerReduction : ViewExchange, IBackwardProgress
{
    private readonly PublishedMemory _memory;
    private readonly FrameTransport _frames;
    private readonly List<IPeerTransport> _transports = [];
    private readonly IPeerTransport[] _transportTo; // by rank; not used for this member's own
    private readonly SliceReducer _reducer = new();
    private readonly SliceBlocks _blocks;
    private readonly int[] _taken; // by owner: how many buckets' slices have gone to the consumer
    private IGradientConsumer? _consumer;
    private int _published;
    private int _reduced;

    /// <summary>Prepares the exchange of one view.</summary>
    /// <param name="identity">The view, seen by this worker.</param>
    /// <param name="plans">The plans of its steps.</param>
    /// <param name="memory">Where this worker's blocks and reduced slices lie; stays the caller's.</param>
    public PeerReduction(ExchangeIdentity identity, ReductionPlans plans, PublishedMemory memory)
        : base(identity, identity.Workers, plans)
    {
        _memory = memory;
        _frames = new FrameTransport(identity, memory, Link, Source);
        _transportTo = [.. identity.Workers.Select(_ => _frames)];
        _transports.Add(_frames);
        _taken = new int[identity.Workers.Count];
        _blocks = new SliceBlocks(this);
    }

    /// <summary>Begins a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="microbatches">The step's number of microbatches.</param>
    /// <param name="consumer">Takes the reduced gradient, from <see cref="CompletedFrom"/> on.</param>
    /// <returns>The step's plan.</returns>
    public ReductionPlan Begin(long step, int microbatches, IGradientConsumer consumer)
    {
        _consumer = consumer;
        (_published, _reduced) = (0, 0);
        Array.Clear(_taken);
        return BeginStep(step, microbatches);
    }

    /// <inheritdoc />
    public void CompletedFrom(int offset)
    {
        while (_published < Plan.Buckets.Count && Plan.Buckets[_published].Start >= offset)
        {
            foreach (var transport in _transports)
                transport.PublishBlocks(_published);
            _published++;
        }

        Progress();
    }

    /// <summary>Publishes what is left of this worker's blocks, and blocks until the whole gradient has gone to the consumer.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="PeerFailureException">A peer was lost.</exception>
    public void Complete(CancellationToken cancellationToken)
    {
        CompletedFrom(0);
        while (_reduced < Plan.Buckets.Count)
        {
            for (var peer = 0; peer < Plan.Workers; peer++)
            {
                if (peer != Identity.Rank)
                    _transportTo[peer].WaitForBlocks(peer, _reduced, cancellationToken);
            }

            Progress();
        }

        Phase = Phase.AllGather;
        for (var owner = 0; owner < Plan.Workers; owner++)
        {
            while (_taken[owner] < Plan.Buckets.Count)
            {
                _transportTo[owner].WaitForSlice(owner, _taken[owner], cancellationToken);
                Progress();
            }
        }
    }

    /// <summary>Reaches a peer by another transport than frames; before the first step. The link to it still tells of its end.</summary>
    /// <param name="peer">The peer's rank.</param>
    /// <param name="transport">The transport; may be that of several peers.</param>
    internal void Use(int peer, IPeerTransport transport)
    {
        _frames.Release(peer);
        _transportTo[peer] = transport;
        if (!_transports.Contains(transport))
            _transports.Add(transport);
    }

    private protected override void Expect(ReductionPlan plan)
    {
        _reducer.Reserve(plan);
        foreach (var transport in _transports)
            transport.Begin(Step, plan);
    }

    private protected override Memory<float> Place(in FrameHeader header, int count) => _frames.Place(header, count);

    private protected override void Take(int peer, Frame frame)
    {
        if (!_frames.TryTake(peer, frame))
            throw Unexpected(peer, frame);
    }

    private protected override bool IsOwedBy(int peer) => _transportTo[peer].IsOwedBy(peer);

    private protected override void Fail(Exception failure)
    {
        foreach (var transport in _transports)
            transport.Fail(failure);
    }

    // All that can be done without waiting.
    private void Progress()
    {
        while (_reduced < _published && AllHaveBlocks(_reduced))
            Reduce(_reduced++);
        for (var owner = 0; owner < _taken.Length; owner++)
        {
            while (_taken[owner] < Plan.Buckets.Count && HasSlice(owner, _taken[owner]))
                HandOver(owner, _taken[owner]++);
        }
    }

    private bool AllHaveBlocks(int bucket)
    {
        for (var peer = 0; peer < Plan.Workers; peer++)
        {
            if (peer != Identity.Rank && !_transportTo[peer].HasBlocks(peer, bucket))
                return false;
        }

        return true;
    }

    private bool HasSlice(int owner, int bucket) =>
        owner == Identity.Rank ? bucket < _reduced : _transportTo[owner].HasSlice(owner, bucket);

    private void Reduce(int bucket)
    {
        var slice = Plan.SliceOf(bucket, Identity.Rank);
        _blocks.Enter(bucket, slice);
        if (!IsAlone)
            _reducer.Complete(Plan, _blocks, _memory.Reduced.Span[slice.Start..slice.End]);
        foreach (var transport in _transports)
            transport.PublishSlice(bucket);
    }

    private void HandOver(int owner, int bucket)
    {
        var slice = Plan.SliceOf(bucket, owner);
        if (slice.Length > 0)
            _consumer!.Take(slice.Start, owner == Identity.Rank ? OwnSlice(slice) : _transportTo[owner].Slice(owner, bucket));
    }

    // The one block of the only worker is the sum already.
    private bool IsAlone => Plan.Blocks.Count == 1 && Plan.Workers == 1;

    private ReadOnlySpan<float> OwnSlice(Bucket slice) => (IsAlone ? _memory.Block(0) : _memory.Reduced).Span[slice.Start..slice.End];

    // The blocks of all members over this member's slice of a bucket.
    private sealed class SliceBlocks(PeerReduction owner) : IBlockSource
    {
        private int _bucket;
        private Bucket _slice;

        public void Enter(int bucket, Bucket slice) => (_bucket, _slice) = (bucket, slice);

        public ReadOnlySpan<float> Block(int place)
        {
            var plan = owner.Plan;
            var holder = plan.HolderOf(place);
            return holder == owner.Identity.Rank
                ? owner._memory.Block(place - plan.PlacesOf(holder).First).Span[_slice.Start.._slice.End]
                : owner._transportTo[holder].Block(holder, place, _bucket);
        }
    }
}
