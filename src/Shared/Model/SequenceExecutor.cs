using Distributed.Kernels;

namespace Distributed.Model;

/// <summary>
/// Runs layers one after the other, and owns their outputs and the gradients between them. Gradients go no further back than something asks for them.
/// The first layers may take a pass in parts (<see cref="SequencePlan"/>): each part goes through all of them before the next.
/// </summary>
internal sealed class SequenceExecutor
{
    private readonly SequencePlan _plan;
    private readonly int _partRows;
    private readonly LayerExecutor[] _layers;
    private readonly AlignedBuffer[] _outputs; // of each layer, for a pass or for a part
    private readonly Range[] _parameterRanges; // of each layer in the sequence's part of the flat vector
    private readonly int _inputLength;
    private readonly int _lastBackward; // index of the layer where the backward pass ends
    private readonly bool _needsInputGradient;
    private readonly AlignedBuffer[] _passGradients; // with respect to the outputs, in turn
    private readonly AlignedBuffer[] _partGradients;
    private readonly LayerProgress _progress = new();

    /// <summary>Reserves all memory.</summary>
    /// <param name="layers">The layers, at least one, with all conversions that they need between them.</param>
    /// <param name="options">For the sequence as a whole.</param>
    internal SequenceExecutor(IReadOnlyList<Layer> layers, ExecutorOptions options)
        : this(new SequencePlan(layers), layers, options)
    {
    }

    internal SequenceExecutor(SequencePlan plan, IReadOnlyList<Layer> layers, ExecutorOptions options)
    {
        int firstTrained = layers.TakeWhile(layer => layer.Parameters.Count == 0).Count();
        _needsInputGradient = options.NeedsInputGradient;
        _lastBackward = options.NeedsInputGradient ? 0 : firstTrained;
        _inputLength = layers[0].InputLength;
        _plan = plan;
        _partRows = Math.Min(options.MaximumRows, _plan.RowsOfPart(options.Microbatch, options.Team.Threads));
        _layers = [.. layers.Select((layer, index) => layer.CreateExecutor(options with
        {
            NeedsInputGradient = options.NeedsInputGradient || index > firstTrained,
            FirstRandomStream = options.FirstRandomStream + layers.Take(index).Sum(before => before.RandomStreams),
            Absorbed = index > 0 && _plan.LeavesActivationGradient(index - 1) ? layers[index - 1].LastActivation : Activation.None,
            LeavesActivationGradient = _plan.LeavesActivationGradient(index),
        }))];
        _outputs = [.. layers.Select((layer, index) => LayerExecutor.Reserve(_plan.KeepsOutput(index) ? options.MaximumRows : _partRows, layer.OutputLength))];
        _parameterRanges = ParameterRanges(layers);
        _passGradients = TwoOf(options.MaximumRows, _plan.WidestInPass);
        _partGradients = TwoOf(_partRows, _plan.WidestInPart);
    }

    /// <summary>Takes new values of the parameters of all layers.</summary>
    internal void BindWeights(ReadOnlyMemory<float> parameters)
    {
        for (int i = 0; i < _layers.Length; i++)
            _layers[i].BindWeights(parameters[_parameterRanges[i]]);
    }

    /// <summary>Returns the output of the last layer, [rows, output length].</summary>
    internal Span<float> Forward(ReadOnlySpan<float> input, int rows, in Pass pass)
    {
        for (int first = 0; first < rows && _plan.LayersInParts > 0; first += _partRows)
        {
            int count = Math.Min(_partRows, rows - first);
            Forward(0.._plan.LayersInParts, input, first, count, pass.Part(first, count, rows));
        }

        Forward(_plan.LayersInParts.._layers.Length, input, 0, rows, pass);
        return OutputOf(_layers.Length - 1, 0, rows);
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
        IBackwardProgress? progress)
    {
        Ends ends = new() { Input = input, OutputGradient = outputGradient, InputGradient = inputGradient, ParameterGradient = parameterGradient };
        for (int i = _layers.Length - 1; i >= Math.Max(_lastBackward, _plan.LayersInParts); i--)
            Backward(i, ends, 0, rows, pass, progress);
        for (int first = 0; first < rows && _lastBackward < _plan.LayersInParts; first += _partRows)
        {
            int count = Math.Min(_partRows, rows - first);
            Pass part = pass.Part(first, count, rows);
            for (int i = _plan.LayersInParts - 1; i >= _lastBackward; i--)
                Backward(i, ends, first, count, part, part.RowsAfter == 0 ? progress : null);
        }
    }

    private static AlignedBuffer[] TwoOf(int rows, int length) => [LayerExecutor.Reserve(rows, length), LayerExecutor.Reserve(rows, length)];

    private static Range[] ParameterRanges(IReadOnlyList<Layer> layers)
    {
        int end = 0;
        return [.. layers.Select(layer => end..(end += layer.ParameterLength))];
    }

    /// <summary>Takes some rows of the pass through a range of layers.</summary>
    private void Forward(Range layers, ReadOnlySpan<float> input, int first, int rows, in Pass pass)
    {
        for (int i = layers.Start.Value; i < layers.End.Value; i++)
            _layers[i].Forward(InputOf(i, input, first, rows), rows, OutputOf(i, first, rows), pass);
    }

    /// <summary>Takes the gradients of some rows of the pass back through one layer.</summary>
    private void Backward(int layer, in Ends ends, int first, int rows, in Pass pass, IBackwardProgress? progress)
    {
        Span<float> after = layer == _layers.Length - 1
            ? ends.OutputGradient.Slice(first * _layers[layer].OutputLength, rows * _layers[layer].OutputLength)
            : GradientOf(layer, first, rows);
        Span<float> before = [];
        if (layer > 0)
            before = layer > _lastBackward ? GradientOf(layer - 1, first, rows) : [];
        else if (_needsInputGradient)
            before = ends.InputGradient.Slice(first * _inputLength, rows * _inputLength);
        Range parameters = _parameterRanges[layer];
        LayerProgress? ofLayer = _progress.Of(parameters, progress);
        ReadOnlySpan<float> input = InputOf(layer, ends.Input, first, rows);
        _layers[layer].Backward(input, OutputOf(layer, first, rows), rows, after, before, ends.ParameterGradient[parameters], pass, ofLayer);
        progress?.CompletedFrom(parameters.Start.Value);
    }

    private ReadOnlySpan<float> InputOf(int layer, ReadOnlySpan<float> input, int first, int rows) =>
        layer == 0 ? input.Slice(first * _inputLength, rows * _inputLength) : OutputOf(layer - 1, first, rows);

    private Span<float> OutputOf(int layer, int first, int rows) => Rows(_outputs[layer], layer, _plan.KeepsOutput(layer) ? first : 0, rows);

    /// <summary>With respect to the output of a layer that is not the last.</summary>
    private Span<float> GradientOf(int layer, int first, int rows) => layer >= _plan.LayersInParts - 1
        ? Rows(_passGradients[layer % 2], layer, first, rows)
        : Rows(_partGradients[layer % 2], layer, 0, rows);

    private Span<float> Rows(AlignedBuffer values, int layer, int first, int rows) =>
        values.Span.Slice(first * _layers[layer].OutputLength, rows * _layers[layer].OutputLength);

    /// <summary>What a pass has at both ends of the sequence.</summary>
    private ref struct Ends
    {
        public ReadOnlySpan<float> Input;
        public Span<float> OutputGradient;
        public Span<float> InputGradient;
        public Span<float> ParameterGradient;
    }

    /// <summary>Passes on what a layer says of its own parameters.</summary>
    private sealed class LayerProgress : IBackwardProgress
    {
        private int _first;
        private IBackwardProgress? _next;

        public LayerProgress? Of(Range parameters, IBackwardProgress? next)
        {
            (_first, _next) = (parameters.Start.Value, next);
            return next is null ? null : this;
        }

        public void CompletedFrom(int offset) => _next!.CompletedFrom(_first + offset);
    }
}
