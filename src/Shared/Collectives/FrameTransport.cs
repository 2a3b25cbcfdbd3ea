using Distributed.Kernels;
using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>
/// Exchanges with peers by frames over gRPC streams: blocks go to the owners of their slices, reduced slices to everyone.
/// </summary>
/// <remarks>
/// A peer without blocks sends one empty frame in place of its contributions to all buckets. Without that, an owner could go on while
/// the peer has still to receive what the owner then overwrites.
/// </remarks>
internal sealed class FrameTransport : IPeerTransport
{
    /// <summary>How soon a thread that receives by itself notices what happens elsewhere.</summary>
    private static readonly TimeSpan LookUp = TimeSpan.FromMilliseconds(10);

    private readonly ExchangeIdentity _identity;
    private readonly PublishedMemory _memory;
    private readonly Func<int, FrameLink> _linkTo;
    private readonly Func<int, IFrameSource?> _sourceOf;
    private readonly List<int> _peers;
    private readonly Pending _blocks;
    private readonly Pending _slices;
    private readonly List<AlignedBuffer?> _received = []; // by place: what peers sent of their blocks, this member's slices one after the other
    private int[] _offsets = []; // by bucket: where this member's slice of it begins in those
    private ReductionPlan _plan = new(1, 1);
    private long _step;

    /// <summary>Prepares to exchange with every other member.</summary>
    /// <param name="identity">The view, seen by this member.</param>
    /// <param name="memory">What this member sends from; reduced slices of others are received into it.</param>
    /// <param name="linkTo">The link to a peer.</param>
    /// <param name="sourceOf">Where a peer's frames come from, if not by way of another thread alone.</param>
    public FrameTransport(ExchangeIdentity identity, PublishedMemory memory, Func<int, FrameLink> linkTo, Func<int, IFrameSource?> sourceOf)
    {
        var workers = identity.Workers.Count;
        _identity = identity;
        _memory = memory;
        _linkTo = linkTo;
        _sourceOf = sourceOf;
        // Each worker begins with the one after it, so that no owner gets everything at once.
        _peers = [.. Enumerable.Range(1, Math.Max(0, workers - 1)).Select(turn => (identity.Rank + turn) % workers)];
        _blocks = new Pending(workers);
        _slices = new Pending(workers);
    }

    /// <summary>Leaves a peer to another transport; before the first step.</summary>
    public void Release(int peer) => _peers.Remove(peer);

    /// <inheritdoc />
    public void Begin(long step, ReductionPlan plan)
    {
        (_step, _plan) = (step, plan);
        Reserve();
        _blocks.Begin(plan.Buckets.Count);
        _slices.Begin(plan.Buckets.Count);
        foreach (var peer in _peers)
        {
            for (var bucket = 0; bucket < plan.Buckets.Count; bucket++)
            {
                _blocks.Expect(peer, bucket, Contribution(peer, plan.SliceOf(bucket, _identity.Rank).Length));
                _slices.Expect(peer, bucket, plan.SliceOf(bucket, peer).Length);
            }
        }
    }

    /// <inheritdoc />
    public void PublishBlocks(int bucket)
    {
        var (first, count) = _plan.PlacesOf(_identity.Rank);
        foreach (var peer in _peers)
        {
            if (count == 0 && bucket == 0)
                _linkTo(peer).Send(_identity.Header(_step, FrameKind.Block), default);
            var (start, end) = _plan.SliceOf(bucket, peer);
            for (var i = 0; i < count && start < end; i++)
            {
                _linkTo(peer)
                    .Send(_identity.Header(_step, FrameKind.Block, _plan.Blocks[first + i].Start, start), _memory.Block(i)[start..end]);
            }
        }
    }

    /// <inheritdoc />
    public void PublishSlice(int bucket)
    {
        var (start, end) = _plan.SliceOf(bucket, _identity.Rank);
        if (start == end)
            return;
        foreach (var peer in _peers)
            _linkTo(peer).Send(_identity.Header(_step, FrameKind.Reduced, _identity.Rank, start), _memory.Reduced[start..end]);
    }

    /// <inheritdoc />
    public bool HasBlocks(int peer, int bucket) => Has(_blocks, peer, bucket);

    /// <inheritdoc />
    public bool HasSlice(int peer, int bucket) => Has(_slices, peer, bucket);

    /// <inheritdoc />
    public void WaitForBlocks(int peer, int bucket, CancellationToken cancellationToken) => Wait(_blocks, peer, bucket, cancellationToken);

    /// <inheritdoc />
    public void WaitForSlice(int peer, int bucket, CancellationToken cancellationToken) => Wait(_slices, peer, bucket, cancellationToken);

    /// <inheritdoc />
    public ReadOnlySpan<float> Block(int peer, int place, int bucket) =>
        _received[place]!.Span.Slice(_offsets[bucket], _plan.SliceOf(bucket, _identity.Rank).Length);

    /// <inheritdoc />
    public ReadOnlySpan<float> Slice(int peer, int bucket)
    {
        var (start, end) = _plan.SliceOf(bucket, peer);
        return _memory.Reduced.Span[start..end];
    }

    /// <inheritdoc />
    public bool IsOwedBy(int peer) => _blocks.IsOwedBy(peer) || _slices.IsOwedBy(peer);

    /// <inheritdoc />
    public void Fail(Exception failure)
    {
        _blocks.Fail(failure);
        _slices.Fail(failure);
    }

    /// <summary>Takes a frame of the step under way.</summary>
    /// <returns>False if the plan does not expect such a frame of the peer.</returns>
    /// <exception cref="InvalidDataException">It has come before.</exception>
    public bool TryTake(int peer, Frame frame)
    {
        if (frame.Header.Kind == FrameKind.Block && frame.Values.IsEmpty)
            return TryTakeNothing(peer);
        if (SenderOf(frame.Header) != peer || Place(frame.Header, frame.Values.Length) is not { IsEmpty: false } destination)
            return false;
        if (!frame.IsInPlace)
            frame.Values.CopyTo(destination.Span);
        var arriving = frame.Header.Kind == FrameKind.Block ? _blocks : _slices;
        arriving.Arrived(peer, _plan.BucketAt(frame.Header.Offset), frame.Values.Length);
        return true;
    }

    /// <summary>
    /// Where a frame's values belong; nothing if they are not inside the slice that the frame is about. Any thread may ask while the step
    /// is open.
    /// </summary>
    public Memory<float> Place(in FrameHeader header, int count)
    {
        var (bucket, sender) = (_plan.BucketAt(header.Offset), SenderOf(header));
        if (bucket < 0 || sender < 0 || sender == _identity.Rank)
            return default;
        var slice = _plan.SliceOf(bucket, header.Kind == FrameKind.Block ? _identity.Rank : sender);
        var offset = (int)header.Offset;
        if (offset < slice.Start || count > slice.End - offset)
            return default;
        return header.Kind == FrameKind.Reduced
            ? _memory.Reduced.Slice(offset, count)
            : _received[_plan.PlaceOf(header.Part)]?.Memory.Slice(_offsets[bucket] + offset - slice.Start, count) ?? default;
    }

    private bool Has(Pending arriving, int peer, int bucket) =>
        arriving.IsThere(peer, bucket) || (_sourceOf(peer)?.Receive() == true && arriving.IsThere(peer, bucket));

    private void Wait(Pending arriving, int peer, int bucket, CancellationToken cancellationToken)
    {
        // What this thread receives wakes no other. What others receive or report meanwhile is noticed in time.
        var source = _sourceOf(peer);
        while (!arriving.IsThere(peer, bucket) && source?.Receive() == true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            arriving.ThrowIfFailed();
            if (!arriving.IsThere(peer, bucket))
                source.Wait(LookUp);
        }

        arriving.Wait(peer, bucket, cancellationToken);
    }

    // Who sends frames of a header by the plan; -1 for nobody.
    private int SenderOf(in FrameHeader header) =>
        header.Kind switch
        {
            FrameKind.Block when _plan.PlaceOf(header.Part) is >= 0 and var place => _plan.HolderOf(place),
            FrameKind.Reduced when header.Part < _plan.Workers => header.Part,
            _ => -1,
        };

    private bool TryTakeNothing(int peer)
    {
        if (_plan.PlacesOf(peer).Count > 0)
            return false;
        for (var bucket = 0; bucket < _plan.Buckets.Count; bucket++)
            _blocks.Arrived(peer, bucket, Contribution(peer, _plan.SliceOf(bucket, _identity.Rank).Length));
        return true;
    }

    // Nothing is a contribution too, and counts as one element.
    private long Contribution(int peer, int elements) =>
        _plan.PlacesOf(peer).Count is > 0 and var blocks ? (long)blocks * elements : Math.Min(1, elements);

    private void Reserve()
    {
        if (_offsets.Length == 0)
        {
            _offsets = new int[_plan.Buckets.Count];
            for (var bucket = 1; bucket < _offsets.Length; bucket++)
                _offsets[bucket] = _offsets[bucket - 1] + _plan.SliceOf(bucket - 1, _identity.Rank).Length;
        }

        while (_received.Count < _plan.Blocks.Count)
            _received.Add(null);
        foreach (var peer in _peers)
        {
            var (first, count) = _plan.PlacesOf(peer);
            for (var place = first; place < first + count; place++)
                _received[place] ??= new AlignedBuffer(_plan.OwnedElements(_identity.Rank));
        }
    }
}
