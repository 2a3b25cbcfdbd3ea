using System.Numerics;
using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>
/// How a pass goes through a sequence of layers: which of them take it in row blocks, and which outputs are kept. The first layers of a
/// convolutional network have by far the largest activations. If a few samples at a time go through all of these layers, what lies between
/// them stays in the second-level cache; otherwise memory and a shared last-level cache would have to carry all of it several times.
/// </summary>
internal sealed class SequencePlan
{
    /// <summary>
    /// Floats of the largest activation of a row block, for each thread: most of a second-level cache of 1 MiB, nine images of cnn. On two
    /// cores of Zen 5 that take a step each at the same time, it took 18.1 ms in whole passes, and from 15.4 to 15.7 in blocks of 4, 8, 11
    /// or 16 images; on one core while the other was idle, 16.6 and from 14.7 to 15.2, least with 8.
    /// </summary>
    private const int DefaultBlockLength = 224 * 1024;

    private readonly IReadOnlyList<Layer> _layers;
    private readonly int _blockLength;

    /// <summary>Plans a pass.</summary>
    /// <param name="layers">The layers, at least one.</param>
    /// <param name="blockLength">Floats of the largest activation of a row block, for each thread. No bit depends on it.</param>
    internal SequencePlan(IReadOnlyList<Layer> layers, int blockLength = DefaultBlockLength)
    {
        _layers = layers;
        _blockLength = blockLength;
        var first = layers.TakeWhile(layer => layer.AllowsRowBlocks).Count();
        BlockedLayers = first > 1 ? first : 0; // a single layer has no next one that would find the block in the cache
        WidestInBlock = Widest(0, BlockedLayers - 1);
    }

    /// <summary>How many layers, from the first on, take a pass in row blocks.</summary>
    internal int BlockedLayers { get; }

    /// <summary>The most values per sample after a layer that is followed by one that takes a whole pass.</summary>
    internal int WidestInPass => Widest(Math.Max(0, BlockedLayers - 1), _layers.Count - 1);

    /// <summary>The most values per sample between two layers that take row blocks.</summary>
    internal int WidestInBlock { get; }

    /// <summary>
    /// Values per sample that a sequence of these layers keeps from the forward to the backward pass, with the gradients between them.
    /// </summary>
    internal static long KeptLengthOf(IReadOnlyList<Layer> layers)
    {
        SequencePlan plan = new(layers);
        return layers.Select((layer, index) => layer.KeptLength + (plan.KeepsOutput(index) ? layer.OutputLength : 0L)).Sum()
            + (2L * plan.WidestInPass);
    }

    /// <summary>Samples of a row block: a microbatch has several blocks of equal size, or a block several whole microbatches.</summary>
    /// <param name="microbatch">Samples of a microbatch.</param>
    /// <param name="threads">Threads that share a block, each with a second-level cache.</param>
    internal int RowsOfBlock(int microbatch, int threads)
    {
        var most = Math.Max(1L, (long)threads * _blockLength / Math.Max(1, Widest(0, BlockedLayers)));
        var rows = most < microbatch ? Even(microbatch, most) : most / microbatch * microbatch;
        return (int)Math.Min(int.MaxValue, rows);
    }

    /// <summary>
    /// The next segment of a pass through the layers that take row blocks. It has as many whole microbatches as can be split evenly over
    /// the threads, so that what a layer writes is read by the core that wrote it: on two cores without a common last-level cache a step
    /// of cnn took 9.3 ms with row blocks that the threads share, and 6.9 ms split. A thread has a power of two of microbatches, so that
    /// its sum is a node of the tree. What cannot be split is shared.
    /// </summary>
    /// <param name="row">The segment's first sample: the end of the segment before it.</param>
    /// <param name="rows">Samples of the pass.</param>
    /// <param name="microbatch">Samples of a microbatch.</param>
    /// <param name="threads">The threads.</param>
    internal static PassSegment NextSegment(int row, int rows, int microbatch, int threads)
    {
        var microbatches = ((rows - row - 1) / microbatch) + 1;
        if (threads == 1 || microbatches < threads)
            return new PassSegment(row, rows, Threads: 1, rows - row);
        var rowsPerThread = microbatch << BitOperations.Log2((uint)(microbatches / threads));
        return new PassSegment(row, (int)Math.Min(rows, row + ((long)rowsPerThread * threads)), threads, rowsPerThread);
    }

    /// <summary>
    /// Whether a layer's output is kept for all samples of a pass. Otherwise each row block overwrites that of the one before, and the
    /// backward pass cannot read it.
    /// </summary>
    internal bool KeepsOutput(int layer) =>
        layer >= BlockedLayers - 1
        || _layers[layer + 1].BackwardReadsInput
        || (_layers[layer].BackwardReadsOutput && !NextFusesGradient(layer));

    /// <summary>Whether the gradient of the activation that a layer ends in is taken by the layer after it.</summary>
    internal bool NextFusesGradient(int layer) =>
        layer < _layers.Count - 1
        && _layers[layer].LastActivation != Activation.None
        && _layers[layer + 1].FusesGradientOf(_layers[layer].LastActivation);

    private static long Even(int length, long most)
    {
        var blocks = (length + most - 1) / most;
        return (length + blocks - 1) / blocks;
    }

    private int Widest(int first, int end) => _layers.Take(end).Skip(first).Select(layer => layer.OutputLength).DefaultIfEmpty().Max();
}
