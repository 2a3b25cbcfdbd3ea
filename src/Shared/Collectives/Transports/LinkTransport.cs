using Distributed.Kernels;
using Distributed.Protocol;

namespace Distributed.Collectives.Transports;

/// <summary>Exchanges with peers by frames over links: nodes go to the owners of their slices, slices and records to every peer.</summary>
/// <remarks>
/// A peer without nodes sends one empty frame in place of its contributions to all buckets. Without it, an owner could run
/// ahead and overwrite what the peer has yet to receive.
/// </remarks>
internal sealed class LinkTransport : ITransport, ILinkReceiver
{
    /// <summary>How soon a thread that receives on its own notices arrivals and failures on other threads.</summary>
    private static readonly TimeSpan LookUp = TimeSpan.FromMilliseconds(10);

    private readonly int _rank;
    private readonly ExchangeMemory _memory;
    private readonly Link?[] _links; // by rank
    private int[] _peers; // those that are reached in frames, not those whose link only tells of their end
    private readonly ArrivalCounter _arrivals;
    private readonly StepGate _gate = new();

    // By place: what peers sent of their nodes, this member's slices one after the other.
    private readonly List<AlignedBuffer?> _received = [];

    private readonly AlignedBuffer?[] _records; // by rank
    private int[] _offsets = []; // by bucket: where this member's slice of it begins in those
    private ExchangeRound _round = new(-1, 0, new ReductionPlan(1, 1), HasGradient: false);

    /// <summary>Prepares to exchange over links.</summary>
    /// <param name="rank">This member's rank.</param>
    /// <param name="members">The number of members.</param>
    /// <param name="peers">The peers that links lead to.</param>
    /// <param name="memory">What this member sends from; slices of others are received into it.</param>
    public LinkTransport(int rank, int members, IEnumerable<int> peers, ExchangeMemory memory)
    {
        _rank = rank;
        _memory = memory;
        _links = new Link?[members];
        _records = new AlignedBuffer?[members];
        // Each member begins with the one after it, so that no owner gets everything at once.
        _peers = [.. peers.OrderBy(peer => (peer - rank + members) % members)];
        _arrivals = new ArrivalCounter(members);
        foreach (var peer in _peers)
            _records[peer] = new AlignedBuffer(NodeRecord.MaximumNodes * NodeRecord.Length);
    }

    /// <summary>Gives the transport its link to a peer; before the first step.</summary>
    public void Attach(Link link) => _links[link.Peer] = link;

    /// <summary>Leaves peers to another transport; before the first step.</summary>
    public void Release(IReadOnlyCollection<int> peers) => _peers = [.. _peers.Except(peers)];

    /// <inheritdoc />
    public void Begin(in ExchangeRound round)
    {
        _round = round;
        var plan = round.Plan;
        _arrivals.Begin(plan.Buckets.Count);
        if (round.HasGradient)
            Reserve(plan);
        foreach (var peer in _peers)
        {
            for (var bucket = 0; round.HasGradient && bucket < plan.Buckets.Count; bucket++)
            {
                var elements = Contribution(peer, plan.SliceOf(bucket, _rank).Length);
                _arrivals.Expect(peer, new ExchangePart(PartKind.Nodes, bucket), elements);
                _arrivals.Expect(peer, new ExchangePart(PartKind.Slice, bucket), plan.SliceOf(bucket, peer).Length);
            }

            _arrivals.Expect(peer, new ExchangePart(PartKind.Record, 0), RecordElements(peer));
        }

        _gate.Open(round.Position);
    }

    /// <inheritdoc />
    public void PublishNodes(int bucket)
    {
        var (first, count) = _round.Plan.PlacesOf(_rank);
        foreach (var peer in _peers)
        {
            if (count == 0 && bucket == 0 && OwnsSome(peer))
                Send(peer, FrameKind.Node, part: 0, offset: 0, default);
            var (start, end) = _round.Plan.SliceOf(bucket, peer);
            for (var i = 0; i < count && start < end; i++)
                Send(peer, FrameKind.Node, _round.Plan.Nodes[first + i].Start, start, _memory.Node(i)[start..end]);
        }
    }

    /// <inheritdoc />
    public void PublishSlice(int bucket)
    {
        var (start, end) = _round.Plan.SliceOf(bucket, _rank);
        foreach (var peer in start < end ? _peers : [])
            Send(peer, FrameKind.Slice, part: 0, start, _memory.Slices[start..end]);
    }

    /// <inheritdoc />
    public void PublishRecord()
    {
        var values = _memory.Record(_round.Parity)[..(_round.Plan.PlacesOf(_rank).Count * NodeRecord.Length)];
        foreach (var peer in _peers)
            Send(peer, FrameKind.Record, part: 0, offset: 0, values);
    }

    /// <inheritdoc />
    public bool Has(int peer, in ExchangePart part)
    {
        if (_arrivals.IsThere(peer, part))
            return true;
        _links[peer]!.Receive();
        return _arrivals.IsThere(peer, part);
    }

    /// <inheritdoc />
    public void Wait(int peer, in ExchangePart part, CancellationToken cancellationToken)
    {
        // What this thread receives wakes no other thread; what others receive or report meanwhile is polled for.
        var link = _links[peer]!;
        while (!_arrivals.IsThere(peer, part) && link.Receive())
        {
            cancellationToken.ThrowIfCancellationRequested();
            _arrivals.ThrowIfFailed();
            if (!_arrivals.IsThere(peer, part))
                link.Wait(LookUp);
        }

        _arrivals.Wait(peer, part, cancellationToken);
    }

    /// <inheritdoc />
    public ReadOnlySpan<float> Node(int peer, int place, int bucket) =>
        _received[place]!.Span.Slice(_offsets[bucket], _round.Plan.SliceOf(bucket, _rank).Length);

    /// <inheritdoc />
    public ReadOnlySpan<float> Slice(int peer, int bucket)
    {
        var (start, end) = _round.Plan.SliceOf(bucket, peer);
        return _memory.Slices.Span[start..end];
    }

    /// <inheritdoc />
    public ReadOnlySpan<float> Record(int peer) => _records[peer]!.Span;

    /// <inheritdoc />
    public bool IsOwedBy(int peer) => _arrivals.IsOwedBy(peer);

    /// <inheritdoc />
    public void Fail(Exception failure) => _arrivals.Fail(failure);

    /// <inheritdoc />
    public bool TryPlace(int peer, in LinkFrame frame, out Memory<float> destination)
    {
        destination = default;
        if (!_gate.IsOpen(frame.Position))
            return false;
        return TryFind(peer, frame, out destination) ? true : throw Unexpected(peer, frame);
    }

    /// <inheritdoc />
    public void Arrived(int peer, in LinkFrame frame)
    {
        var plan = _round.Plan;
        if (frame is { Kind: FrameKind.Node, Count: 0 })
        {
            for (var bucket = 0; bucket < plan.Buckets.Count; bucket++)
                _arrivals.Arrived(peer, new ExchangePart(PartKind.Nodes, bucket), Contribution(peer, plan.SliceOf(bucket, _rank).Length));
        }
        else if (frame.Kind == FrameKind.Record)
        {
            _arrivals.Arrived(peer, new ExchangePart(PartKind.Record, 0), RecordElements(peer));
        }
        else
        {
            var kind = frame.Kind == FrameKind.Node ? PartKind.Nodes : PartKind.Slice;
            _arrivals.Arrived(peer, new ExchangePart(kind, plan.BucketAt(frame.Offset)), frame.Count);
        }
    }

    /// <inheritdoc />
    public Task BegunAsync(long position, CancellationToken cancellationToken) => _gate.WaitAsync(position, cancellationToken).AsTask();

    private void Send(int peer, FrameKind kind, int part, int offset, ReadOnlyMemory<float> values) =>
        _links[peer]!.Send(new LinkFrame(kind, part, _round.Position, offset, values.Length), values);

    private bool TryFind(int peer, in LinkFrame frame, out Memory<float> destination)
    {
        destination = default;
        var plan = _round.Plan;
        if (frame.Position != _round.Position)
            return false;
        switch (frame.Kind)
        {
            case FrameKind.Record when frame.Count == plan.PlacesOf(peer).Count * NodeRecord.Length:
                destination = _records[peer]!.Memory[..frame.Count];
                return true;
            case FrameKind.Node when frame.Count == 0:
                return plan.IsOwner(_rank) && plan.PlacesOf(peer).Count == 0;
            case FrameKind.Node:
                return TryFindNode(peer, frame, out destination);
            case FrameKind.Slice when IsInside(plan, frame, peer):
                destination = _memory.Slices.Slice(frame.Offset, frame.Count);
                return true;
            default:
                return false;
        }
    }

    private bool TryFindNode(int peer, in LinkFrame frame, out Memory<float> destination)
    {
        destination = default;
        var plan = _round.Plan;
        var place = plan.PlaceOf(frame.Part);
        if (place < 0 || plan.HolderOf(place) != peer || !IsInside(plan, frame, _rank))
            return false;
        var bucket = plan.BucketAt(frame.Offset);
        var offset = _offsets[bucket] + frame.Offset - plan.SliceOf(bucket, _rank).Start;
        destination = _received[place]!.Memory.Slice(offset, frame.Count);
        return true;
    }

    // Whether the frame's values lie inside an owner's slice of one bucket.
    private bool IsInside(ReductionPlan plan, in LinkFrame frame, int owner)
    {
        if (!_round.HasGradient || plan.BucketAt(frame.Offset) is not (>= 0 and var bucket))
            return false;
        var (start, end) = plan.SliceOf(bucket, owner);
        return frame.Count > 0 && frame.Offset >= start && frame.Count <= end - frame.Offset;
    }

    private static InvalidDataException Unexpected(int peer, in LinkFrame frame) =>
        new($"member {peer} sent a frame that the plan does not expect of it: {frame}");

    // A peer without slices does not wait for contributions, and would be in the next exchange when an empty one came.
    private bool OwnsSome(int peer)
    {
        for (var bucket = 0; bucket < _round.Plan.Buckets.Count; bucket++)
        {
            if (_round.Plan.SliceOf(bucket, peer).Length > 0)
                return true;
        }

        return false;
    }

    // An empty contribution counts as one element.
    private long Contribution(int peer, int elements)
    {
        if (peer >= _round.Plan.Workers)
            return 0;
        return _round.Plan.PlacesOf(peer).Count is > 0 and var nodes ? (long)nodes * elements : Math.Min(1, elements);
    }

    // So does an empty record.
    private long RecordElements(int peer) => Math.Max(1, _round.Plan.PlacesOf(peer).Count * NodeRecord.Length);

    private void Reserve(ReductionPlan plan)
    {
        if (_offsets.Length != plan.Buckets.Count)
            _offsets = new int[plan.Buckets.Count];
        for (var bucket = 1; bucket < _offsets.Length; bucket++)
            _offsets[bucket] = _offsets[bucket - 1] + plan.SliceOf(bucket - 1, _rank).Length;

        while (_received.Count < plan.Nodes.Count)
            _received.Add(null);
        var owned = plan.OwnedElements(_rank);
        foreach (var peer in _peers)
        {
            var (first, count) = plan.PlacesOf(peer);
            for (var place = first; place < first + count && plan.IsOwner(_rank); place++)
            {
                var before = _received[place]?.Length;
                if (before is null || before < owned)
                    _received[place] = new AlignedBuffer(Math.Max(owned, (before ?? 0) / 4 * 5)); // what a step begins with varies
            }
        }
    }
}
