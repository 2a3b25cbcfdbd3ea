namespace Distributed.Collectives.SharedMemory;

/// <summary>A member's published memory in its own region, where peers of the host read it in place.</summary>
/// <param name="region">The region; stays the caller's.</param>
internal sealed class RegionMemory(SharedRegion region) : PublishedMemory
{
    private readonly Memory<float>[] _blocks = [.. Enumerable.Range(0, region.Layout.Blocks).Select(index => region.Block(index).Memory)];

    /// <inheritdoc />
    public override Memory<float> Reduced { get; } = region.Reduced().Memory;

    /// <inheritdoc />
    public override Memory<float> Block(int index) => _blocks[index];
}
