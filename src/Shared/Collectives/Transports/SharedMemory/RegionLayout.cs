using Distributed.Kernels;

namespace Distributed.Collectives.Transports.SharedMemory;

/// <summary>
/// Where everything lies in the region that a member of a view shares, in bytes from its start: a pure function of what all members
/// know. First come lines of 64 bytes that tell about the rest, one for each fact, so that no two facts travel between cores together;
/// then, from a page's start, the values: the member's nodes, its slices, and its records.
/// </summary>
/// <param name="Members">The number of members of the view.</param>
/// <param name="Buckets">The number of buckets.</param>
/// <param name="Nodes">How many tree nodes a member may have in a step.</param>
/// <param name="Length">The flat vector's length in elements.</param>
internal sealed record RegionLayout(int Members, int Buckets, int Nodes, int Length)
{
    private const int Line = AlignedBuffer.Alignment;

    /// <summary>What proves that a mapping shows this region: see <see cref="RegionHeader"/>.</summary>
    public const long HeaderOffset = 0;

    /// <summary>The line of the member's <see cref="SharedSignal"/>.</summary>
    public const long SignalOffset = Line;

    /// <summary>The length of all lines, up to the page's start at which the values begin.</summary>
    public long LineBytes => RoundUp(CounterOffset(new ExchangePart(PartKind.Record, 1)), AnonymousMemory.Page);

    /// <summary>The region's length.</summary>
    public long Bytes => RecordOffset(2);

    /// <summary>Where the member's slices lie, at their places in the flat vector.</summary>
    public long SlicesOffset => NodeOffset(Nodes);

    private long VectorBytes => RoundUp((long)Length * sizeof(float), Line);

    /// <summary>Where a peer answers the offer of this region.</summary>
    /// <param name="rank">The peer.</param>
    public static long AnswerOffset(int rank) => (2L + rank) * Line;

    /// <summary>A counter's place: it holds the position of the last exchange for which its part was published.</summary>
    /// <param name="part">What it is about.</param>
    public long CounterOffset(in ExchangePart part) => AnswerOffset(Members) + ((((long)part.Kind * Buckets) + part.Bucket) * Line);

    /// <summary>Where a node of the member lies.</summary>
    /// <param name="index">The node, counted from the member's first.</param>
    public long NodeOffset(int index) => LineBytes + (index * VectorBytes);

    /// <summary>Where the member's records lie.</summary>
    /// <param name="parity">See <see cref="ExchangeMemory.Record"/>.</param>
    public long RecordOffset(int parity) =>
        NodeOffset(Nodes + 1) + (parity * (long)NodeRecord.MaximumNodes * NodeRecord.Length * sizeof(float));

    private static long RoundUp(long bytes, long unit) => (bytes + unit - 1) / unit * unit;
}
