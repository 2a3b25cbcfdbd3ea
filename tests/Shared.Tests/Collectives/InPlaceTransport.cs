using Distributed.Collectives;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>
/// Members that read each other's memory where it lies, as over a shared region: nothing but counters passes between them.
/// </summary>
internal sealed class InPlaceTransport : IPeerTransport
{
    private readonly int _rank;
    private readonly IReadOnlyList<InPlaceTransport> _members;
    private readonly PublishedMemory _memory;
    private readonly long[] _blocks; // by bucket: the step whose blocks are published
    private readonly long[] _slices;
    private long _step;
    private ReductionPlan _plan;

    private InPlaceTransport(int rank, IReadOnlyList<InPlaceTransport> members, ReductionPlan plan, PublishedMemory memory)
    {
        (_rank, _members, _plan, _memory) = (rank, members, plan, memory);
        (_blocks, _slices) = (new long[plan.Buckets.Count], new long[plan.Buckets.Count]);
    }

    /// <summary>The transports of all members of a view.</summary>
    public static IReadOnlyList<InPlaceTransport> Connect(ReductionPlan plan, IReadOnlyList<PublishedMemory> memories)
    {
        var members = new List<InPlaceTransport>();
        members.AddRange(memories.Select((memory, rank) => new InPlaceTransport(rank, members, plan, memory)));
        return members;
    }

    public void Begin(long step, ReductionPlan plan) => (_step, _plan) = (step, plan);

    public void PublishBlocks(int bucket) => Volatile.Write(ref _blocks[bucket], _step);

    public void PublishSlice(int bucket) => Volatile.Write(ref _slices[bucket], _step);

    public bool HasBlocks(int peer, int bucket) => Volatile.Read(ref _members[peer]._blocks[bucket]) >= _step;

    public bool HasSlice(int peer, int bucket) => Volatile.Read(ref _members[peer]._slices[bucket]) >= _step;

    public void WaitForBlocks(int peer, int bucket, CancellationToken cancellationToken)
    {
        for (; !HasBlocks(peer, bucket); Thread.Yield())
            cancellationToken.ThrowIfCancellationRequested();
    }

    public void WaitForSlice(int peer, int bucket, CancellationToken cancellationToken)
    {
        for (; !HasSlice(peer, bucket); Thread.Yield())
            cancellationToken.ThrowIfCancellationRequested();
    }

    public ReadOnlySpan<float> Block(int peer, int place, int bucket) =>
        Part(_members[peer]._memory.Block(place - _plan.PlacesOf(peer).First), _plan.SliceOf(bucket, _rank));

    public ReadOnlySpan<float> Slice(int peer, int bucket) => Part(_members[peer]._memory.Reduced, _plan.SliceOf(bucket, peer));

    public bool IsOwedBy(int peer) => false;

    public void Fail(Exception failure)
    {
        // Nobody fails here.
    }

    private static ReadOnlySpan<float> Part(Memory<float> vector, Bucket slice) => vector.Span[slice.Start..slice.End];
}
