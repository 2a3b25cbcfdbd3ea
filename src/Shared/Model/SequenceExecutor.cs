using Distributed.Kernels;

namespace Distributed.Model;

/// <summary>Runs layers one after the other, and owns the gradients between them. Gradients go no further back than something asks for them.</summary>
internal sealed class SequenceExecutor
{
    private readonly LayerExecutor[] _layers;
    private readonly Range[] _parameterRanges; // of each layer in the sequence's part of the flat vector
    private readonly int _lastBackward; // index of the layer where the backward pass ends
    private readonly bool _needsInputGradient;
    private readonly LayerProgress _progress = new();
    private AlignedBuffer _outputGradient;
    private AlignedBuffer _inputGradient;

    /// <summary>Reserves all memory.</summary>
    /// <param name="layers">The layers, at least one, with all conversions that they need between them.</param>
    /// <param name="options">For the sequence as a whole.</param>
    internal SequenceExecutor(IReadOnlyList<Layer> layers, ExecutorOptions options)
    {
        int firstTrained = layers.TakeWhile(layer => layer.Parameters.Count == 0).Count();
        _needsInputGradient = options.NeedsInputGradient;
        _lastBackward = options.NeedsInputGradient ? 0 : firstTrained;
        _layers = [.. layers.Select((layer, index) => layer.CreateExecutor(options with
        {
            NeedsInputGradient = options.NeedsInputGradient || index > firstTrained,
            FirstRandomStream = options.FirstRandomStream + layers.Take(index).Sum(before => before.RandomStreams),
        }))];
        foreach ((LayerExecutor before, LayerExecutor after) in _layers.Zip(_layers.Skip(1)))
        {
            if (before.LastActivation != Activation.None && after.AbsorbGradient(before.LastActivation))
                before.LeaveActivationGradient();
        }

        _parameterRanges = ParameterRanges(layers);
        _outputGradient = LayerExecutor.Reserve(options.MaximumRows, WidestBetween(layers));
        _inputGradient = LayerExecutor.Reserve(options.MaximumRows, WidestBetween(layers));
    }

    /// <summary>Values per sample that a sequence of these layers keeps.</summary>
    internal static long ActivationLength(IReadOnlyList<Layer> layers) =>
        layers.Sum(layer => layer.ActivationLength) + (2L * WidestBetween(layers));

    /// <summary>Takes new values of the parameters of all layers.</summary>
    internal void BindWeights(ReadOnlyMemory<float> parameters)
    {
        for (int i = 0; i < _layers.Length; i++)
            _layers[i].BindWeights(parameters[_parameterRanges[i]]);
    }

    /// <summary>Returns the output of the last layer, [rows, output length].</summary>
    internal Span<float> Forward(ReadOnlySpan<float> input, int rows, in Pass pass)
    {
        for (int i = 0; i < _layers.Length; i++)
            _layers[i].Forward(InputOf(i, input, rows), rows, pass);
        return OutputOf(_layers.Length - 1, rows);
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
        for (int i = _layers.Length - 1; i >= _lastBackward; i--)
        {
            Span<float> before = i > 0 ? _inputGradient.Span[..(rows * _layers[i - 1].OutputLength)] : inputGradient;
            bool goesOn = i > _lastBackward || _needsInputGradient;
            Span<float> after = i == _layers.Length - 1 ? outputGradient : _outputGradient.Span[..(rows * _layers[i].OutputLength)];
            LayerProgress? ofLayer = _progress.Of(_parameterRanges[i], progress);
            _layers[i].Backward(InputOf(i, input, rows), rows, after, goesOn ? before : [], parameterGradient[_parameterRanges[i]], pass, ofLayer);
            (_outputGradient, _inputGradient) = (_inputGradient, _outputGradient);
            progress?.CompletedFrom(_parameterRanges[i].Start.Value);
        }
    }

    /// <summary>The most values per sample between two of the layers.</summary>
    private static int WidestBetween(IReadOnlyList<Layer> layers) => layers.SkipLast(1).Select(layer => layer.OutputLength).DefaultIfEmpty().Max();

    private static Range[] ParameterRanges(IReadOnlyList<Layer> layers)
    {
        int end = 0;
        return [.. layers.Select(layer => end..(end += layer.ParameterLength))];
    }

    private ReadOnlySpan<float> InputOf(int layer, ReadOnlySpan<float> input, int rows) =>
        layer == 0 ? input : OutputOf(layer - 1, rows);

    private Span<float> OutputOf(int layer, int rows) => _layers[layer].Output.Span[..(rows * _layers[layer].OutputLength)];

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
