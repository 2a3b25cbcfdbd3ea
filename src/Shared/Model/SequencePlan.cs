using System.Numerics;
using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>
/// How a pass goes through a sequence of layers: which of them take it in parts, and what is kept of their outputs. The first layers of a
/// convolutional network have by far the largest activations. Taken a few samples at a time through all of these layers, what lies between
/// them stays in the second-level cache, where memory and a shared last-level cache would have to carry all of it several times.
/// </summary>
internal sealed class SequencePlan
{
    /// <summary>
    /// Floats of the largest activation of a part, for each thread: most of a second-level cache of 1 MiB, nine images of cnn. On two cores
    /// of Zen 5 that take a step each beside the other, it took 18.1 ms in whole passes, and from 15.4 to 15.7 in parts of 4, 8, 11 or 16
    /// images; on one core while the other was idle, 16.6 and from 14.7 to 15.2, least with 8.
    /// </summary>
    private const int PartLength = 224 * 1024;

    private readonly IReadOnlyList<Layer> _layers;
    private readonly int _partLength;

    /// <summary>Plans a pass.</summary>
    /// <param name="layers">The layers, at least one.</param>
    /// <param name="partLength">Floats of the largest activation of a part, for each thread. No bit depends on it.</param>
    internal SequencePlan(IReadOnlyList<Layer> layers, int partLength = PartLength)
    {
        _layers = layers;
        _partLength = partLength;
        var first = layers.TakeWhile(layer => layer.TakesParts).Count();
        LayersInParts = first > 1 ? first : 0; // one layer alone has nothing to hand on
        WidestInPart = Widest(0, LayersInParts - 1);
    }

    /// <summary>How many layers, from the first on, take a pass in parts.</summary>
    internal int LayersInParts { get; }

    /// <summary>The most values per sample between two layers that take a whole pass, or between one and those that take parts.</summary>
    internal int WidestInPass => Widest(Math.Max(0, LayersInParts - 1), _layers.Count - 1);

    /// <summary>The most values per sample between two layers that take parts.</summary>
    internal int WidestInPart { get; }

    /// <summary>
    /// Values per sample that a sequence of these layers keeps from the forward to the backward pass, with the gradients between them.
    /// </summary>
    internal static long KeptLengthOf(IReadOnlyList<Layer> layers)
    {
        SequencePlan plan = new(layers);
        return layers.Select((layer, index) => layer.KeptLength + (plan.KeepsOutput(index) ? layer.OutputLength : 0L)).Sum()
            + (2L * plan.WidestInPass);
    }

    /// <summary>Samples of a part: so many that a microbatch has equal parts, or a part whole microbatches.</summary>
    /// <param name="microbatch">Samples of a microbatch.</param>
    /// <param name="threads">Threads that share a part, each with a second-level cache.</param>
    internal int RowsOfPart(int microbatch, int threads)
    {
        var most = Math.Max(1L, (long)threads * _partLength / Math.Max(1, Widest(0, LayersInParts)));
        var rows = most < microbatch ? Even(microbatch, most) : most / microbatch * microbatch;
        return (int)Math.Min(int.MaxValue, rows);
    }

    /// <summary>
    /// The next stretch of a pass through the layers that take parts. As many whole microbatches as the threads can share alike go in
    /// lanes, one for each thread: then what a layer leaves is read by the core that has written it. On two cores without a common
    /// last-level cache a step of cnn took 9.3 ms with parts that threads share, and 6.9 ms in lanes. A lane has a power of two of
    /// microbatches, so that its sum is a node of the tree.
    /// </summary>
    /// <param name="row">The stretch's first sample, as far as the stretch before came.</param>
    /// <param name="rows">Samples of the pass.</param>
    /// <param name="microbatch">Samples of a microbatch.</param>
    /// <param name="threads">The threads.</param>
    internal static PassSegment NextStretch(int row, int rows, int microbatch, int threads)
    {
        var microbatches = ((rows - row - 1) / microbatch) + 1;
        if (threads == 1 || microbatches < threads)
            return new PassSegment(row, rows, Lanes: 1, rows - row);
        var laneRows = microbatch << BitOperations.Log2((uint)(microbatches / threads));
        return new PassSegment(row, (int)Math.Min(rows, row + ((long)laneRows * threads)), threads, laneRows);
    }

    /// <summary>
    /// Whether a layer's output is held for all samples of a pass; otherwise for those of a part, and the backward pass finds nothing
    /// there.
    /// </summary>
    internal bool KeepsOutput(int layer) =>
        layer >= LayersInParts - 1
        || _layers[layer + 1].BackwardReadsInput
        || (_layers[layer].BackwardReadsOutput && !LeavesActivationGradient(layer));

    /// <summary>Whether the gradient of a layer's last activation is taken by the layer after it.</summary>
    internal bool LeavesActivationGradient(int layer) =>
        layer < _layers.Count - 1
        && _layers[layer].LastActivation != Activation.None
        && _layers[layer + 1].Absorbs(_layers[layer].LastActivation);

    private static long Even(int length, long most)
    {
        var parts = (length + most - 1) / most;
        return (length + parts - 1) / parts;
    }

    private int Widest(int first, int end) => _layers.Take(end).Skip(first).Select(layer => layer.OutputLength).DefaultIfEmpty().Max();
}
