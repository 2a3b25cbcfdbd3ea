using Distributed.Collectives;
using Distributed.Collectives.Transports;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>
/// Members that read each other's memory where it lies, as over a shared region: nothing but counters passes between them.
/// </summary>
internal sealed class InPlaceTransport : ITransport
{
    private readonly int _rank;
    private readonly IReadOnlyList<InPlaceTransport> _members;
    private readonly ExchangeMemory _memory;
    private readonly long[,] _published; // by part and bucket: the position for which it is published
    private ExchangeRound _round;

    private InPlaceTransport(int rank, IReadOnlyList<InPlaceTransport> members, ReductionPlan plan, ExchangeMemory memory)
    {
        (_rank, _members, _memory) = (rank, members, memory);
        _published = new long[3, plan.Buckets.Count];
    }

    /// <summary>The transports of all members of a view.</summary>
    public static IReadOnlyList<InPlaceTransport> Connect(ReductionPlan plan, IReadOnlyList<ExchangeMemory> memories)
    {
        var members = new List<InPlaceTransport>();
        members.AddRange(memories.Select((memory, rank) => new InPlaceTransport(rank, members, plan, memory)));
        return members;
    }

    public void Begin(in ExchangeRound round) => _round = round;

    public void PublishNodes(int bucket) => Publish(PartKind.Nodes, bucket);

    public void PublishSlice(int bucket) => Publish(PartKind.Slice, bucket);

    public void PublishRecord() => Publish(PartKind.Record, 0);

    public bool Has(int peer, in ExchangePart part) =>
        Volatile.Read(ref _members[peer]._published[(int)part.Kind, part.Bucket]) >= _round.Position;

    public void Wait(int peer, in ExchangePart part, CancellationToken cancellationToken)
    {
        for (; !Has(peer, part); Thread.Yield())
            cancellationToken.ThrowIfCancellationRequested();
    }

    public ReadOnlySpan<float> Node(int peer, int place, int bucket) =>
        Part(_members[peer]._memory.Node(place - _round.Plan.PlacesOf(peer).First), _round.Plan.SliceOf(bucket, _rank));

    public ReadOnlySpan<float> Slice(int peer, int bucket) => Part(_members[peer]._memory.Slices, _round.Plan.SliceOf(bucket, peer));

    public ReadOnlySpan<float> Record(int peer) => _members[peer]._memory.Record(_round.Parity).Span;

    public bool IsOwedBy(int peer) => false;

    public void Fail(Exception failure)
    {
        // No member fails here.
    }

    private void Publish(PartKind kind, int bucket) => Volatile.Write(ref _published[(int)kind, bucket], _round.Position);

    private static ReadOnlySpan<float> Part(Memory<float> vector, Bucket slice) => vector.Span[slice.Start..slice.End];
}
