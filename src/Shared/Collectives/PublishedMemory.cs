using Distributed.Kernels;

namespace Distributed.Collectives;

/// <summary>
/// The memory of one member in one view that its peers read: the gradients of its blocks, and its slices of the reduced gradient.
/// A transport may lay it where the peers can map it. Every part starts on a cache line and never moves.
/// </summary>
public abstract class PublishedMemory : IDisposable
{
    /// <summary>[length]: the gradient of one of this member's blocks. Only the thread that computes may ask.</summary>
    /// <param name="index">
    /// The block, counted from the member's first; at most <see cref="ReductionTree.MostBlocks"/> of the run's largest batch.
    /// </param>
    public abstract Memory<float> Block(int index);

    /// <summary>
    /// [length]: reduced slices at their places in the flat vector; the peers read only those that this member owns. Any thread may ask.
    /// </summary>
    public abstract Memory<float> Reduced { get; }

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the memory back; nobody may read it any more.</summary>
    /// <param name="disposing">Whether this is not the finalizer.</param>
    protected virtual void Dispose(bool disposing) { }
}

/// <summary>Ordinary memory, from which peers are sent copies.</summary>
/// <param name="length">The flat vector's length in elements.</param>
public sealed class PrivateMemory(int length) : PublishedMemory
{
    private readonly List<AlignedBuffer> _blocks = [];
    private readonly Lazy<AlignedBuffer> _reduced = new(() => new AlignedBuffer(length));

    /// <inheritdoc />
    public override Memory<float> Reduced => _reduced.Value.Memory;

    /// <inheritdoc />
    public override Memory<float> Block(int index)
    {
        while (_blocks.Count <= index)
            _blocks.Add(new AlignedBuffer(length));
        return _blocks[index].Memory;
    }
}
