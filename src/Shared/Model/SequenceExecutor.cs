using Distributed.Kernels;
using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>
/// Runs layers one after the other, and owns their outputs and the gradients between them. Gradients go no further back than the first
/// layer that has parameters, unless the input's is wanted. The first layers may take a pass in row blocks (<see cref="SequencePlan"/>):
/// each block goes through all of them before the next. The threads share the blocks, or each takes those of its own rows.
/// </summary>
internal sealed class SequenceExecutor
{
    private readonly SequencePlan _plan;
    private readonly ComputeTeam _team;
    private readonly int _microbatch;
    private readonly int _sharedBlockRows; // of a block that all threads share
    private readonly int _threadBlockRows; // of a block that one thread takes by itself
    private readonly LayerExecutor[] _layers;
    private readonly AlignedBuffer[] _outputs; // of each layer, for a pass or for a row block
    private readonly Range[] _parameterRanges; // of each layer in the sequence's section of the flat vector
    private readonly int _inputLength;
    private readonly int _lastBackward; // index of the layer where the backward pass ends
    private readonly bool _needsInputGradient;
    private readonly AlignedBuffer[] _passGradients; // with respect to the outputs, in turn
    private readonly AlignedBuffer[] _blockGradients;
    private readonly OffsetProgress _progress = new();
    private readonly SegmentWork _segments;

    /// <summary>Reserves all memory.</summary>
    /// <param name="layers">The layers, at least one, with all conversions that they need between them.</param>
    /// <param name="options">For the sequence as a whole.</param>
    internal SequenceExecutor(IReadOnlyList<Layer> layers, ExecutorOptions options)
        : this(new SequencePlan(layers), layers, options) { }

    internal SequenceExecutor(SequencePlan plan, IReadOnlyList<Layer> layers, ExecutorOptions options)
    {
        var firstTrained = layers.TakeWhile(layer => layer.Parameters.Count == 0).Count();
        _needsInputGradient = options.NeedsInputGradient;
        _lastBackward = options.NeedsInputGradient ? 0 : firstTrained;
        _inputLength = layers[0].InputLength;
        _plan = plan;
        _team = options.Team;
        _segments = new SegmentWork(this);
        _microbatch = options.Microbatch;
        _sharedBlockRows = Math.Min(options.MaximumRows, plan.RowsOfBlock(options.Microbatch, _team.Threads));
        _threadBlockRows = Math.Min(options.MaximumRows / _team.Threads, plan.RowsOfBlock(options.Microbatch, threads: 1));
        var blockRows = Math.Max(_sharedBlockRows, _threadBlockRows * _team.Threads);
        _layers = [.. layers.Select((layer, index) => layer.CreateExecutor(OptionsOf(index, layers, options, firstTrained)))];
        _outputs =
        [
            .. layers.Select(
                (layer, index) => LayerExecutor.Reserve(plan.KeepsOutput(index) ? options.MaximumRows : blockRows, layer.OutputLength)
            ),
        ];
        _parameterRanges = ParameterRanges(layers);
        _passGradients = TwoOf(options.MaximumRows, plan.WidestInPass);
        _blockGradients = TwoOf(blockRows, plan.WidestInBlock);
    }

    /// <summary>Takes new values of the parameters of all layers.</summary>
    internal void BindWeights(ReadOnlyMemory<float> parameters)
    {
        for (var i = 0; i < _layers.Length; i++)
            _layers[i].BindWeights(parameters[_parameterRanges[i]]);
    }

    /// <summary>Returns the output of the last layer, [rows, output length].</summary>
    /// <exception cref="OperationCanceledException">The pass was abandoned.</exception>
    internal Span<float> Forward(ReadOnlySpan<float> input, int rows, in Pass pass)
    {
        PassSegment segment;
        for (var first = 0; first < rows && _plan.BlockedLayers > 0; first = segment.EndRow)
        {
            segment = SequencePlan.NextSegment(first, rows, _microbatch, _team.Threads);
            BackwardPass whole = new()
            {
                Input = input,
                Rows = rows,
                Pass = pass,
            };
            if (segment.Threads > 1)
                _segments.Run(segment, whole, isForward: true, _team);
            else
                RunBlocks(new BlockRange(first, segment.EndRow, _sharedBlockRows, Place: 0), whole, isForward: true);
        }

        RowBlock all = new(0, rows, Place: 0);
        for (var i = _plan.BlockedLayers; i < _layers.Length; i++)
            Forward(i, input, all, pass);
        return OutputOf(_layers.Length - 1, all);
    }

    /// <summary>
    /// Takes the gradient from the last layer to the first that needs it. The progress is notified when a layer's gradient is complete,
    /// unless the layer has done so itself.
    /// </summary>
    /// <exception cref="OperationCanceledException">The pass was abandoned.</exception>
    internal void Backward(in BackwardPass whole)
    {
        RowBlock all = new(0, whole.Rows, Place: 0);
        for (var i = _layers.Length - 1; i >= Math.Max(_lastBackward, _plan.BlockedLayers); i--)
            Backward(i, whole, all, whole.Pass, whole.Progress);
        PassSegment segment;
        for (var first = 0; first < whole.Rows && _lastBackward < _plan.BlockedLayers; first = segment.EndRow)
        {
            segment = SequencePlan.NextSegment(first, whole.Rows, _microbatch, _team.Threads);
            if (segment.Threads > 1)
            {
                _segments.Run(segment, whole, isForward: false, _team);
                MergeThreadGradients(segment, whole);
            }
            else
            {
                RunBlocks(new BlockRange(first, segment.EndRow, _sharedBlockRows, Place: 0), whole, isForward: false);
            }
        }
    }

    /// <summary>Takes the rows of one thread through the layers that take row blocks.</summary>
    internal void RunThreadRows(in ThreadRows rows, in BackwardPass whole, bool isForward)
    {
        var place = rows.Thread * _threadBlockRows;
        RunBlocks(new BlockRange(rows.FirstRow, rows.FirstRow + rows.Rows, _threadBlockRows, place), whole, isForward);
    }

    private static AlignedBuffer[] TwoOf(int rows, int length) =>
        [LayerExecutor.Reserve(rows, length), LayerExecutor.Reserve(rows, length)];

    private static Range[] ParameterRanges(IReadOnlyList<Layer> layers)
    {
        var end = 0;
        return [.. layers.Select(layer => end..(end += layer.ParameterLength))];
    }

    private ExecutorOptions OptionsOf(int index, IReadOnlyList<Layer> layers, ExecutorOptions ofSequence, int firstTrained) =>
        ofSequence with
        {
            NeedsInputGradient = ofSequence.NeedsInputGradient || index > firstTrained,
            FirstRandomStream = ofSequence.FirstRandomStream + layers.Take(index).Sum(before => before.RandomStreams),
            FusedGradient = index > 0 && _plan.NextFusesGradient(index - 1) ? layers[index - 1].LastActivation : Activation.None,
            NextFusesGradient = _plan.NextFusesGradient(index),
            Threads = index < _plan.BlockedLayers ? _team.Threads : 1,
        };

    /// <summary>Takes row blocks, one after the other, each through all layers that take them.</summary>
    private void RunBlocks(in BlockRange range, in BackwardPass whole, bool isForward)
    {
        for (var first = range.FirstRow; first < range.EndRow; first += range.BlockRows)
        {
            RowBlock block = new(first, Math.Min(range.BlockRows, range.EndRow - first), range.Place);
            var pass = whole.Pass.RowBlock(first, block.Rows, whole.Rows);
            if (isForward)
            {
                for (var i = 0; i < _plan.BlockedLayers; i++)
                    Forward(i, whole.Input, block, pass);
                continue;
            }

            // A thread's own rows complete nothing; MergeThreadGradients reports for them.
            var progress = pass.RowsAfter == 0 && pass.ThreadRows.Rows == 0 ? whole.Progress : null;
            for (var i = _plan.BlockedLayers - 1; i >= _lastBackward; i--)
                Backward(i, whole, block, pass, progress);
        }
    }

    private void MergeThreadGradients(in PassSegment segment, in BackwardPass whole)
    {
        for (var i = _plan.BlockedLayers - 1; i >= _lastBackward; i--)
        {
            _layers[i].MergeThreadGradients(segment, whole.Rows, whole.ParameterGradient[_parameterRanges[i]]);
            if (segment.EndRow == whole.Rows)
                whole.Progress?.CompletedFrom(_parameterRanges[i].Start.Value);
        }
    }

    /// <summary>Takes some rows of the pass through one layer.</summary>
    private void Forward(int layer, ReadOnlySpan<float> input, RowBlock block, in Pass pass)
    {
        pass.Reach();
        _layers[layer].Forward(InputOf(layer, input, block), block.Rows, OutputOf(layer, block), pass);
    }

    /// <summary>Takes the gradients of some rows of the pass back through one layer.</summary>
    private void Backward(int layer, in BackwardPass whole, RowBlock block, in Pass pass, IBackwardProgress? progress)
    {
        pass.Reach();
        var parameters = _parameterRanges[layer];
        BackwardPass backward = new()
        {
            Input = InputOf(layer, whole.Input, block),
            Output = OutputOf(layer, block),
            Rows = block.Rows,
            OutputGradient = OutputGradientOf(layer, whole, block),
            InputGradient = InputGradientOf(layer, whole, block),
            ParameterGradient = whole.ParameterGradient[parameters],
            Pass = pass,
            Progress = progress is null ? null : _progress.Of(parameters, progress),
        };
        _layers[layer].Backward(backward);
        progress?.CompletedFrom(parameters.Start.Value);
    }

    private ReadOnlySpan<float> InputOf(int layer, ReadOnlySpan<float> input, RowBlock block) =>
        layer == 0 ? input.Slice(block.First * _inputLength, block.Rows * _inputLength) : OutputOf(layer - 1, block);

    private Span<float> OutputOf(int layer, RowBlock block) =>
        Rows(_outputs[layer].Span, layer, _plan.KeepsOutput(layer) ? block.First : block.Place, block.Rows);

    private Span<float> OutputGradientOf(int layer, in BackwardPass whole, RowBlock block)
    {
        if (layer == _layers.Length - 1)
            return Rows(whole.OutputGradient, layer, block.First, block.Rows);
        return layer >= _plan.BlockedLayers - 1
            ? Rows(_passGradients[layer % 2].Span, layer, block.First, block.Rows)
            : _blockGradients[layer % 2].Span.Slice(block.Place * _plan.WidestInBlock, block.Rows * _layers[layer].OutputLength);
    }

    private Span<float> InputGradientOf(int layer, in BackwardPass whole, RowBlock block)
    {
        if (layer > 0)
            return layer > _lastBackward ? OutputGradientOf(layer - 1, whole, block) : [];
        return _needsInputGradient ? whole.InputGradient.Slice(block.First * _inputLength, block.Rows * _inputLength) : [];
    }

    private Span<float> Rows(Span<float> values, int layer, int first, int rows) =>
        values.Slice(first * _layers[layer].OutputLength, rows * _layers[layer].OutputLength);

    /// <summary>Rows of the pass that go through a layer in one call.</summary>
    /// <param name="First">The first row in the pass.</param>
    /// <param name="Rows">How many.</param>
    /// <param name="Place">The first row of the memory for row blocks that they use.</param>
    private readonly record struct RowBlock(int First, int Rows, int Place);

    /// <summary>Rows of the pass that are taken block by block.</summary>
    /// <param name="FirstRow">The first row.</param>
    /// <param name="EndRow">The row after the last.</param>
    /// <param name="BlockRows">Rows of a block; the last may have fewer.</param>
    /// <param name="Place">The first row of the memory for row blocks that they use.</param>
    private readonly record struct BlockRange(int FirstRow, int EndRow, int BlockRows, int Place);

    /// <summary>Forwards a layer's progress, with the offset of the layer's parameters added.</summary>
    private sealed class OffsetProgress : IBackwardProgress
    {
        private int _first;
        private IBackwardProgress? _next;

        public OffsetProgress Of(Range parameters, IBackwardProgress next)
        {
            (_first, _next) = (parameters.Start.Value, next);
            return this;
        }

        public void CompletedFrom(int offset) => _next!.CompletedFrom(_first + offset);
    }
}
