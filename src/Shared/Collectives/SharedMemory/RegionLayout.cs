using Distributed.Kernels;

namespace Distributed.Collectives.SharedMemory;

/// <summary>What a member tells with a counter.</summary>
internal enum CounterKind
{
    /// <summary>The step for which its blocks of a bucket are there.</summary>
    Blocks,

    /// <summary>The step for which its reduced slice of a bucket is there.</summary>
    Slice,
}

/// <summary>
/// Where everything lies in the region that a member of a view shares, in bytes from its start: a pure function of what all members
/// know. First come lines of 64 bytes that tell about the rest, one for each fact, so that no two facts travel between cores together;
/// then, from a page's start, the values: the member's blocks, and its slices of the reduced gradient.
/// </summary>
/// <param name="Members">The number of workers in the view.</param>
/// <param name="Buckets">The number of buckets.</param>
/// <param name="Blocks">How many blocks a member may have in a step.</param>
/// <param name="Length">The flat vector's length in elements.</param>
internal sealed record RegionLayout(int Members, int Buckets, int Blocks, int Length)
{
    private const int Line = AlignedBuffer.Alignment;

    // The largest page of any machine that .NET runs on.
    private const long Page = 64 << 10;

    /// <summary>What proves that a mapping shows this region: see <see cref="RegionHeader"/>.</summary>
    public const long HeaderOffset = 0;

    /// <summary>The line of the member's <see cref="SharedSignal"/>.</summary>
    public const long SignalOffset = Line;

    /// <summary>The length of all lines, up to the page's start at which the values begin.</summary>
    public long LineBytes => RoundUp(CounterOffset(CounterKind.Slice, Buckets), Page);

    /// <summary>The region's length.</summary>
    public long Bytes => BlockOffset(Blocks + 1);

    /// <summary>Where the member's reduced slices lie, at their places in the flat vector.</summary>
    public long ReducedOffset => BlockOffset(Blocks);

    private long VectorBytes => RoundUp((long)Length * sizeof(float), Line);

    /// <summary>Where a peer answers to the offer of this region.</summary>
    /// <param name="rank">The peer.</param>
    public static long AnswerOffset(int rank) => (2L + rank) * Line;

    /// <summary>A counter's place.</summary>
    /// <param name="kind">What it counts.</param>
    /// <param name="bucket">The bucket.</param>
    public long CounterOffset(CounterKind kind, int bucket) => AnswerOffset(Members) + (((long)kind * Buckets) + bucket) * Line;

    /// <summary>Where a block of the member lies.</summary>
    /// <param name="index">The block, counted from the member's first.</param>
    public long BlockOffset(int index) => LineBytes + (index * VectorBytes);

    private static long RoundUp(long bytes, long unit) => (bytes + unit - 1) / unit * unit;
}
