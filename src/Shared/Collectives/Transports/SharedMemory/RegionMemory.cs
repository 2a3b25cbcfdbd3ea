namespace Distributed.Collectives.Transports.SharedMemory;

/// <summary>A member's memory in its own region, where peers of the host read it in place.</summary>
/// <param name="region">The region; stays the caller's.</param>
internal sealed class RegionMemory(SharedRegion region) : ExchangeMemory
{
    private readonly Memory<float>[] _nodes = [.. Enumerable.Range(0, region.Layout.Nodes).Select(index => region.Node(index).Memory)];
    private readonly Memory<float>[] _records = [region.Record(0).Memory, region.Record(1).Memory];

    /// <inheritdoc />
    public override Memory<float> Slices { get; } = region.Slices().Memory;

    /// <inheritdoc />
    public override Memory<float> Node(int index) => _nodes[index];

    /// <inheritdoc />
    public override Memory<float> Record(int parity) => _records[parity];
}
