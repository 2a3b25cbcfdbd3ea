using System.Runtime.InteropServices;
using Distributed.Collectives;
using Distributed.Kernels;
using Distributed.Kernels.Embeddings;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>
/// Computes nodes of the reduction tree from samples. A node with more rows than fit is computed from its children, so that
/// memory does not grow with the batch; the tree is the same, and so are the bits.
/// </summary>
internal sealed class NodeComputation
{
    private readonly ComputeTeam _team;
    private readonly DecodeWork _decode;
    private readonly NetworkExecutor _executor;
    private readonly int _microbatch;
    private readonly ulong _seed;
    private readonly int _largestCount;
    private readonly int _inputLength;
    private readonly AlignedBuffer _inputs;
    private readonly int _targetWidth;
    private readonly int[] _targets;
    private readonly List<RightChild> _rightChildren = [];
    private readonly List<int> _decoded = [];
    private readonly ProgressCounter? _progress;
    private RowPlaces? _touched;

    public NodeComputation(TrainingSettings settings, ComputeTeam team, ProgressCounter? progress = null)
        : this(settings, NetworkExecutor.RowsInOnePass(settings.Network, settings.Microbatch), team, progress) { }

    /// <summary>Reserves the memory for passes of a number of rows, which must be whole microbatches. No bit depends on it.</summary>
    /// <exception cref="Distributed.InputException">The samples, or the activations of a layer, do not fit in an array.</exception>
    internal NodeComputation(TrainingSettings settings, int rows, ComputeTeam team, ProgressCounter? progress = null)
    {
        _team = team;
        _progress = progress;
        _microbatch = settings.Microbatch;
        _seed = settings.Seed;
        _largestCount = rows / _microbatch;
        _inputLength = settings.Network.InputLength;
        _inputs = LayerExecutor.Reserve(rows, _inputLength);
        _executor = new NetworkExecutor(settings.Network, settings.Objective, _microbatch, rows, team);
        _targetWidth = settings.Objective.TargetWidth;
        _targets = new int[rows * _targetWidth];
        _decode = new DecodeWork(_microbatch, _inputLength, _targetWidth);
    }

    /// <summary>The samples that were decoded since <see cref="Begin"/>, by their numbers in the dataset.</summary>
    public ReadOnlySpan<int> Decoded => CollectionsMarshal.AsSpan(_decoded);

    /// <summary>Begins a step or an evaluation.</summary>
    /// <param name="weights">[layout length]: what it computes with.</param>
    /// <param name="touched">Finds the rows of tables that the step touches, where only those have a place in its gradient; or null.</param>
    public void Begin(ReadOnlyMemory<float> weights, RowPlaces? touched = null)
    {
        _decoded.Clear();
        _touched = touched;
        _executor.BindWeights(weights);
    }

    /// <summary>The gradient and the sums of a node.</summary>
    /// <param name="step">The step, from 1.</param>
    /// <param name="node">The node.</param>
    /// <param name="samples">The member's samples.</param>
    /// <param name="origin">The first microbatch of the member's samples.</param>
    /// <param name="gradient">[layout length]: overwritten; undefined where the loss is not finite.</param>
    /// <param name="progress">
    /// Notified as parts of the gradient are completed, in the last pass over the node's samples; or null.
    /// </param>
    /// <param name="stop">Checked before every pass.</param>
    public BatchSums Gradient(
        long step,
        TreeNode node,
        ISampleSource samples,
        int origin,
        Memory<float> gradient,
        IBackwardProgress? progress = null,
        CancellationToken stop = default
    ) => Gradient(step, node, samples, origin, gradient, progress, depth: 0, stop);

    /// <summary>The sums of a node, without a gradient.</summary>
    public BatchSums Evaluate(TreeNode node, ISampleSource samples, int origin, CancellationToken stop = default)
    {
        if (node.Count > _largestCount)
        {
            var (left, right) = Children(node);
            return BatchSums.Merge(Evaluate(left, samples, origin, stop), Evaluate(right, samples, origin, stop));
        }

        stop.ThrowIfCancellationRequested();
        _progress?.Advance();
        var rows = Decode(node, samples, origin);
        return _executor.Forward(_inputs.Span[..(rows * _inputLength)], _targets.AsSpan(0, rows * _targetWidth));
    }

    private BatchSums Gradient(
        long step,
        TreeNode node,
        ISampleSource samples,
        int origin,
        Memory<float> gradient,
        IBackwardProgress? progress,
        int depth,
        CancellationToken stop
    )
    {
        if (node.Count <= _largestCount)
        {
            stop.ThrowIfCancellationRequested();
            var rows = Decode(node, samples, origin);
            var pass = Pass.OfStep(_seed, step, firstSample: (long)node.Start * _microbatch, stop) with
            {
                Progress = _progress,
                Touched = _touched,
            };
            return _executor.ForwardBackward(
                _inputs.Span[..(rows * _inputLength)],
                _targets.AsSpan(0, rows * _targetWidth),
                pass,
                gradient.Span,
                progress
            );
        }

        if (_rightChildren.Count <= depth)
            _rightChildren.Add(new RightChild(gradient.Length));
        var (left, right) = Children(node);
        var leftSums = Gradient(step, left, samples, origin, gradient, progress: null, depth + 1, stop);
        var rightChild = _rightChildren[depth].AddTo(gradient, _touched?.Rows!.Start ?? 0, progress);
        return BatchSums.Merge(leftSums, Gradient(step, right, samples, origin, rightChild.Gradient, rightChild, depth + 1, stop));
    }

    private int Decode(TreeNode node, ISampleSource samples, int origin)
    {
        var first = (node.Start - origin) * _microbatch;
        var rows = Math.Min(node.Count * _microbatch, samples.Count - first);
        _decode.Set(samples, first, _inputs.Memory[..(rows * _inputLength)], _targets.AsMemory(0, rows * _targetWidth));
        if (WorkSharing.IsWorthwhile(rows * (long)_inputLength))
            _team.RunObject(_decode);
        else
            _decode.Execute(0, 1);
        _decoded.AddRange(samples.Indices.Slice(first, rows));
        return rows;
    }

    private static (TreeNode Left, TreeNode Right) Children(TreeNode node)
    {
        var left = ReductionTree.LeftCount(node.Count);
        return (new(node.Start, left), new(node.Start + left, node.Count - left));
    }

    /// <summary>Decodes samples; chunks are whole microbatches if there are enough, as in a pass whose threads take rows.</summary>
    private sealed class DecodeWork(int microbatch, int inputLength, int targetWidth) : IChunkedWork
    {
        private ISampleSource? _samples;
        private int _first;
        private Memory<float> _inputs;
        private Memory<int> _targets;

        public void Set(ISampleSource samples, int first, Memory<float> inputs, Memory<int> targets) =>
            (_samples, _first, _inputs, _targets) = (samples, first, inputs, targets);

        public void Execute(int chunk, int chunks)
        {
            var rows = _targets.Length / targetWidth;
            var granule = rows < chunks * (long)microbatch ? 1 : microbatch;
            var (start, end) = ChunkRange.Of(rows, granule, chunk, chunks);
            _samples!.Decode(
                _first + start,
                end - start,
                _inputs.Span[(start * inputLength)..(end * inputLength)],
                _targets.Span[(start * targetWidth)..(end * targetWidth)]
            );
        }
    }

    /// <summary>The gradient of a right child, which is added to that of its left sibling as it is completed.</summary>
    private sealed class RightChild(int length) : IBackwardProgress
    {
        private readonly AlignedBuffer _gradient = new(length);
        private Memory<float> _sum;
        private IBackwardProgress? _next;
        private int _start; // of the step's gradient
        private int _end;

        public Memory<float> Gradient => _gradient.Memory;

        public RightChild AddTo(Memory<float> sum, int start, IBackwardProgress? next)
        {
            (_sum, _start, _next, _end) = (sum, start, next, sum.Length);
            return this;
        }

        public void CompletedFrom(int offset)
        {
            var start = Math.Max(offset, _start);
            var sum = _sum.Span[start.._end];
            ReductionKernels.Add(sum, _gradient.Span[start.._end], sum);
            _end = start;
            _next?.CompletedFrom(offset);
        }
    }
}
