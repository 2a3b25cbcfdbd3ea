using Distributed.Kernels;

namespace Distributed.Collectives;

/// <summary>
/// The memory of one member in one view that its peers read: the gradients of its tree nodes, its slices, and its records. A transport
/// may place it where the peers can map it. Every part starts on a cache line and never moves.
/// </summary>
internal abstract class ExchangeMemory : IDisposable
{
    /// <summary>[length]: the gradient of one of this member's nodes. Only the compute thread may ask.</summary>
    /// <param name="index">
    /// The node, counted from the member's first; at most <see cref="ReductionTree.MaximumNodes"/> of the run's largest batch.
    /// </param>
    public abstract Memory<float> Node(int index);

    /// <summary>
    /// [length]: slices at their places in the flat vector; peers read only those that this member owns. Any thread may ask.
    /// </summary>
    public abstract Memory<float> Slices { get; }

    /// <summary>
    /// [<see cref="NodeRecord.MaximumNodes"/>, <see cref="NodeRecord.Length"/>]: the records of this member's nodes.
    /// </summary>
    /// <param name="parity">
    /// Alternates between exchanges: peers may still read the record of one while the next one is written. The one after that is
    /// written only when every peer has completed the first.
    /// </param>
    public abstract Memory<float> Record(int parity);

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory; no peer may read it any more.</summary>
    /// <param name="disposing">Whether this is not the finalizer.</param>
    protected virtual void Dispose(bool disposing) { }
}

/// <summary>Ordinary memory, from which peers are sent copies.</summary>
/// <param name="length">The flat vector's length in elements.</param>
internal sealed class PrivateMemory(int length) : ExchangeMemory
{
    private readonly List<AlignedBuffer> _nodes = [];
    private readonly Lazy<AlignedBuffer> _slices = new(() => new AlignedBuffer(length));
    private readonly AlignedBuffer _records = new(2 * NodeRecord.MaximumNodes * NodeRecord.Length);

    /// <inheritdoc />
    public override Memory<float> Slices => _slices.Value.Memory;

    /// <inheritdoc />
    public override Memory<float> Node(int index)
    {
        while (_nodes.Count <= index)
            _nodes.Add(new AlignedBuffer(length));
        return _nodes[index].Memory;
    }

    /// <inheritdoc />
    public override Memory<float> Record(int parity)
    {
        const int Values = NodeRecord.MaximumNodes * NodeRecord.Length;
        return _records.Memory.Slice(parity * Values, Values);
    }
}

/// <summary>
/// The sums of one node that are exchanged along with the gradient (losses, counts, a checksum of sample ids). To the exchange they are
/// a fixed number of opaque values.
/// </summary>
internal static class NodeRecord
{
    /// <summary>Single-precision values of a record: 128 bytes, two cache lines.</summary>
    public const int Length = 32;

    /// <summary>No range of microbatches has more maximal nodes: two per level of a tree over up to 2^31 of them.</summary>
    public const int MaximumNodes = 64;
}
