using Distributed.Kernels;
using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>
/// Runs layers one after the other, and owns their outputs and the gradients between them. Gradients go no further back than something asks
/// for them. The first layers may take a pass in parts (<see cref="SequencePlan"/>): each part goes through all of them before the next.
/// The threads share the parts, or each takes those of its own lane.
/// </summary>
internal sealed class SequenceExecutor
{
    private readonly SequencePlan _plan;
    private readonly ComputeTeam _team;
    private readonly int _microbatch;
    private readonly int _partRows; // of a part that all threads share
    private readonly int _lanePartRows;
    private readonly LayerExecutor[] _layers;
    private readonly AlignedBuffer[] _outputs; // of each layer, for a pass or for a part
    private readonly Range[] _parameterRanges; // of each layer in the sequence's part of the flat vector
    private readonly int _inputLength;
    private readonly int _lastBackward; // index of the layer where the backward pass ends
    private readonly bool _needsInputGradient;
    private readonly AlignedBuffer[] _passGradients; // with respect to the outputs, in turn
    private readonly AlignedBuffer[] _partGradients;
    private readonly LayerProgress _progress = new();
    private readonly LaneWork _lanes;

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
        _lanes = new LaneWork(this);
        _microbatch = options.Microbatch;
        _partRows = Math.Min(options.MaximumRows, _plan.RowsOfPart(options.Microbatch, _team.Threads));
        _lanePartRows = Math.Min(options.MaximumRows / _team.Threads, _plan.RowsOfPart(options.Microbatch, threads: 1));
        var reservedRows = Math.Max(_partRows, _lanePartRows * _team.Threads);
        _layers =
        [
            .. layers.Select(
                (layer, index) =>
                    layer.CreateExecutor(
                        options with
                        {
                            NeedsInputGradient = options.NeedsInputGradient || index > firstTrained,
                            FirstRandomStream = options.FirstRandomStream + layers.Take(index).Sum(before => before.RandomStreams),
                            Absorbed =
                                index > 0 && _plan.LeavesActivationGradient(index - 1) ? layers[index - 1].LastActivation : Activation.None,
                            LeavesActivationGradient = _plan.LeavesActivationGradient(index),
                            Lanes = index < _plan.LayersInParts ? _team.Threads : 1,
                        }
                    )
            ),
        ];
        _outputs =
        [
            .. layers.Select(
                (layer, index) => LayerExecutor.Reserve(_plan.KeepsOutput(index) ? options.MaximumRows : reservedRows, layer.OutputLength)
            ),
        ];
        _parameterRanges = ParameterRanges(layers);
        _passGradients = TwoOf(options.MaximumRows, _plan.WidestInPass);
        _partGradients = TwoOf(reservedRows, _plan.WidestInPart);
    }

    /// <summary>Takes new values of the parameters of all layers.</summary>
    internal void BindWeights(ReadOnlyMemory<float> parameters)
    {
        for (var i = 0; i < _layers.Length; i++)
            _layers[i].BindWeights(parameters[_parameterRanges[i]]);
    }

    /// <summary>Returns the output of the last layer, [rows, output length].</summary>
    internal Span<float> Forward(ReadOnlySpan<float> input, int rows, in Pass pass)
    {
        PassSegment stretch;
        for (var first = 0; first < rows && _plan.LayersInParts > 0; first = stretch.EndRow)
        {
            stretch = SequencePlan.NextStretch(first, rows, _microbatch, _team.Threads);
            if (stretch.Lanes > 1)
                RunLanes(stretch, new Ends { Input = input }, rows, pass, isForward: true);
            else
                ForwardParts(new PartRange(first, stretch.EndRow, _partRows, Place: 0), input, rows, pass);
        }

        Forward(_plan.LayersInParts.._layers.Length, input, 0, rows, 0, pass);
        return OutputOf(_layers.Length - 1, 0, rows, 0);
    }

    /// <summary>
    /// As <see cref="LayerExecutor.Backward"/>, over all layers from the last to the first that has to do with it, each of which
    /// is told of once it is done, if it has not said so itself before.
    /// </summary>
    internal void Backward(
        ReadOnlySpan<float> input,
        int rows,
        Span<float> outputGradient,
        Span<float> inputGradient,
        Span<float> parameterGradient,
        in Pass pass,
        IBackwardProgress? progress
    )
    {
        Ends ends = new()
        {
            Input = input,
            OutputGradient = outputGradient,
            InputGradient = inputGradient,
            ParameterGradient = parameterGradient,
        };
        for (var i = _layers.Length - 1; i >= Math.Max(_lastBackward, _plan.LayersInParts); i--)
            Backward(i, ends, 0, rows, 0, pass, progress);
        PassSegment stretch;
        for (var first = 0; first < rows && _lastBackward < _plan.LayersInParts; first = stretch.EndRow)
        {
            stretch = SequencePlan.NextStretch(first, rows, _microbatch, _team.Threads);
            if (stretch.Lanes > 1)
            {
                RunLanes(stretch, ends, rows, pass, isForward: false);
                JoinLanes(stretch, rows, parameterGradient, progress);
            }
            else
            {
                BackwardParts(new PartRange(first, stretch.EndRow, _partRows, Place: 0), ends, rows, pass, progress);
            }
        }
    }

    private static AlignedBuffer[] TwoOf(int rows, int length) =>
        [LayerExecutor.Reserve(rows, length), LayerExecutor.Reserve(rows, length)];

    private static Range[] ParameterRanges(IReadOnlyList<Layer> layers)
    {
        var end = 0;
        return [.. layers.Select(layer => end..(end += layer.ParameterLength))];
    }

    /// <summary>Takes each lane of a stretch through the layers that take parts, on a thread of its own.</summary>
    private unsafe void RunLanes(in PassSegment stretch, in Ends ends, int passRows, in Pass pass, bool isForward)
    {
        fixed (
            float* input = ends.Input,
                output = ends.OutputGradient,
                inputGradient = ends.InputGradient,
                parameters = ends.ParameterGradient
        )
        {
            (_lanes.Stretch, _lanes.Pass, _lanes.PassRows, _lanes.IsForward) = (stretch, pass, passRows, isForward);
            _lanes.Input = new Extent(input, ends.Input.Length);
            _lanes.OutputGradient = new Extent(output, ends.OutputGradient.Length);
            _lanes.InputGradient = new Extent(inputGradient, ends.InputGradient.Length);
            _lanes.ParameterGradient = new Extent(parameters, ends.ParameterGradient.Length);
            _team.RunObject(_lanes);
        }
    }

    private void RunLane(LaneWork work, int index)
    {
        var lane = work.Stretch.ThreadRows(index);
        PartRange parts = new(lane.FirstRow, lane.FirstRow + lane.Rows, _lanePartRows, Place: index * _lanePartRows);
        var pass = work.Pass with { ThreadRows = lane };
        if (work.IsForward)
            ForwardParts(parts, work.Input.Span, work.PassRows, pass);
        else
            BackwardParts(parts, work.Ends, work.PassRows, pass, progress: null);
    }

    private void JoinLanes(in PassSegment stretch, int passRows, Span<float> parameterGradient, IBackwardProgress? progress)
    {
        for (var i = _plan.LayersInParts - 1; i >= _lastBackward; i--)
        {
            _layers[i].JoinLanes(stretch, passRows, parameterGradient[_parameterRanges[i]]);
            if (stretch.EndRow == passRows)
                progress?.CompletedFrom(_parameterRanges[i].Start.Value);
        }
    }

    private void ForwardParts(in PartRange parts, ReadOnlySpan<float> input, int passRows, in Pass pass)
    {
        for (var first = parts.FirstRow; first < parts.EndRow; first += parts.PartRows)
        {
            var count = Math.Min(parts.PartRows, parts.EndRow - first);
            Forward(0.._plan.LayersInParts, input, first, count, parts.Place, pass.Part(first, count, passRows));
        }
    }

    private void BackwardParts(in PartRange parts, in Ends ends, int passRows, in Pass pass, IBackwardProgress? progress)
    {
        for (var first = parts.FirstRow; first < parts.EndRow; first += parts.PartRows)
        {
            var count = Math.Min(parts.PartRows, parts.EndRow - first);
            var part = pass.Part(first, count, passRows);
            for (var i = _plan.LayersInParts - 1; i >= _lastBackward; i--)
                Backward(i, ends, first, count, parts.Place, part, part.RowsAfter == 0 ? progress : null);
        }
    }

    /// <summary>Takes some rows of the pass through a range of layers.</summary>
    private void Forward(Range layers, ReadOnlySpan<float> input, int first, int rows, int place, in Pass pass)
    {
        for (var i = layers.Start.Value; i < layers.End.Value; i++)
            _layers[i].Forward(InputOf(i, input, first, rows, place), rows, OutputOf(i, first, rows, place), pass);
    }

    /// <summary>Takes the gradients of some rows of the pass back through one layer.</summary>
    private void Backward(int layer, in Ends ends, int first, int rows, int place, in Pass pass, IBackwardProgress? progress)
    {
        var after =
            layer == _layers.Length - 1
                ? ends.OutputGradient.Slice(first * _layers[layer].OutputLength, rows * _layers[layer].OutputLength)
                : GradientOf(layer, first, rows, place);
        Span<float> before = [];
        if (layer > 0)
            before = layer > _lastBackward ? GradientOf(layer - 1, first, rows, place) : [];
        else if (_needsInputGradient)
            before = ends.InputGradient.Slice(first * _inputLength, rows * _inputLength);
        var parameters = _parameterRanges[layer];
        var ofLayer = progress is null ? null : _progress.Of(parameters, progress);
        var input = InputOf(layer, ends.Input, first, rows, place);
        _layers[layer]
            .Backward(input, OutputOf(layer, first, rows, place), rows, after, before, ends.ParameterGradient[parameters], pass, ofLayer);
        progress?.CompletedFrom(parameters.Start.Value);
    }

    private ReadOnlySpan<float> InputOf(int layer, ReadOnlySpan<float> input, int first, int rows, int place) =>
        layer == 0 ? input.Slice(first * _inputLength, rows * _inputLength) : OutputOf(layer - 1, first, rows, place);

    private Span<float> OutputOf(int layer, int first, int rows, int place) =>
        Rows(_outputs[layer], layer, _plan.KeepsOutput(layer) ? first : place, rows);

    /// <summary>With respect to the output of a layer that is not the last.</summary>
    private Span<float> GradientOf(int layer, int first, int rows, int place) =>
        layer >= _plan.LayersInParts - 1
            ? Rows(_passGradients[layer % 2], layer, first, rows)
            : _partGradients[layer % 2].Span.Slice(place * _plan.WidestInPart, rows * _layers[layer].OutputLength);

    private Span<float> Rows(AlignedBuffer values, int layer, int first, int rows) =>
        values.Span.Slice(first * _layers[layer].OutputLength, rows * _layers[layer].OutputLength);

    /// <summary>Rows of the pass that are taken part by part.</summary>
    /// <param name="FirstRow">The first row.</param>
    /// <param name="EndRow">The row after the last.</param>
    /// <param name="PartRows">Rows of a part; the last may have fewer.</param>
    /// <param name="Place">Row of the memory for parts where they belong.</param>
    private readonly record struct PartRange(int FirstRow, int EndRow, int PartRows, int Place);

    /// <summary>What a pass has at both ends of the sequence.</summary>
    private ref struct Ends
    {
        public ReadOnlySpan<float> Input;
        public Span<float> OutputGradient;
        public Span<float> InputGradient;
        public Span<float> ParameterGradient;
    }

    /// <summary>Floats that stay where they are while lanes run.</summary>
    private readonly unsafe struct Extent(float* first, int length)
    {
        public Span<float> Span => new(first, length);
    }

    /// <summary>A stretch's way through the layers that take parts, one lane a part where there are as many parts as lanes.</summary>
    private sealed class LaneWork(SequenceExecutor executor) : IPartitionedWork
    {
        public PassSegment Stretch;
        public Pass Pass;
        public int PassRows;
        public bool IsForward;
        public Extent Input;
        public Extent OutputGradient;
        public Extent InputGradient;
        public Extent ParameterGradient;

        public Ends Ends =>
            new()
            {
                Input = Input.Span,
                OutputGradient = OutputGradient.Span,
                InputGradient = InputGradient.Span,
                ParameterGradient = ParameterGradient.Span,
            };

        public void Execute(int part, int parts)
        {
            for (var lane = part; lane < Stretch.Lanes; lane += parts)
                executor.RunLane(this, lane);
        }
    }

    /// <summary>Passes on what a layer says of its own parameters.</summary>
    private sealed class LayerProgress : IBackwardProgress
    {
        private int _first;
        private IBackwardProgress? _next;

        public LayerProgress Of(Range parameters, IBackwardProgress next)
        {
            (_first, _next) = (parameters.Start.Value, next);
            return this;
        }

        public void CompletedFrom(int offset) => _next!.CompletedFrom(_first + offset);
    }
}
