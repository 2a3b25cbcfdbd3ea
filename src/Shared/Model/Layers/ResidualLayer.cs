using System.Text.Json;
using Distributed.Graphs;
using Distributed.Kernels;

namespace Distributed.Model.Layers;

/// <summary>
/// A residual block: y = x + f(x), or shortcut(x) + f(x) where the shape changes on the way (K. He et al., "Deep residual learning for
/// image recognition", 2015).
/// </summary>
internal sealed record ResidualSpec : LayerSpec
{
    internal const string TypeName = "residual";
    private const string LayersName = "layers";
    private const string ShortcutName = "shortcut";

    /// <summary>Creates a block.</summary>
    /// <param name="layers">f, at least one layer.</param>
    /// <param name="shortcut">The layers beside it; none for the input itself.</param>
    /// <exception cref="ArgumentException">There are no layers.</exception>
    public ResidualSpec(IEnumerable<LayerSpec> layers, IEnumerable<LayerSpec>? shortcut = null)
    {
        Layers = [.. layers];
        Shortcut = [.. shortcut ?? []];
        if (Layers.Count == 0)
            throw new ArgumentException("a residual block needs layers", nameof(layers));
    }

    /// <summary>The layers of f.</summary>
    public IReadOnlyList<LayerSpec> Layers { get; }

    /// <summary>The layers of the shortcut; empty where the input itself is added.</summary>
    public IReadOnlyList<LayerSpec> Shortcut { get; }

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <inheritdoc/>
    internal override int LayerCount => 1 + Layers.Concat(Shortcut).Sum(layer => layer.LayerCount);

    /// <inheritdoc/>
    public bool Equals(ResidualSpec? other) =>
        other is not null && Layers.SequenceEqual(other.Layers) && Shortcut.SequenceEqual(other.Shortcut);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Layers.Count, Shortcut.Count, Layers[0]);

    internal static ResidualSpec Read(LayerFields fields) => new(fields.RequireLayers(LayersName), fields.OptionalLayers(ShortcutName));

    internal override void WriteProperties(Utf8JsonWriter writer)
    {
        WriteList(writer, LayersName, Layers);
        if (Shortcut.Count > 0)
            WriteList(writer, ShortcutName, Shortcut);
    }

    internal override Layer Resolve(SampleShape input)
    {
        var layers = LayerSequence.Resolve(Layers, input, LayersName, isInside: true);
        var shortcut = LayerSequence.Resolve(Shortcut, input, ShortcutName, isInside: true);
        var (output, beside) = (layers[^1].Output, shortcut.Count > 0 ? shortcut[^1].Output : input);
        if (output != beside)
        {
            throw new InputException(
                $"its layers turn {input} into {output}, {Beside(beside)}: the two shapes must be the same to be added"
            );
        }

        return new ResidualLayer(input, output, layers, shortcut);
    }

    private string Beside(SampleShape shape) =>
        Shortcut.Count > 0 ? $"its shortcut into {shape}" : $"but there is no '{ShortcutName}' that turns {shape} into the same";
}

/// <summary>y = shortcut(x) + f(x), both in the same order of elements; without shortcut layers, x itself is added.</summary>
internal sealed class ResidualLayer : Layer
{
    private const int Gradients = 2; // the copy of the output's for the shortcut, and the shortcut's own

    /// <summary>Arranges both branches to take and leave one order of elements.</summary>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="output">Shape of one sample after either branch.</param>
    /// <param name="layers">f; at least one.</param>
    /// <param name="shortcut">May be empty.</param>
    internal ResidualLayer(SampleShape input, SampleShape output, IReadOnlyList<Layer> layers, IReadOnlyList<Layer> shortcut)
        : base(input, output)
    {
        Order = LayerSequence.PreferredOrder(layers.Concat(shortcut));
        Layers = LayerSequence.Arrange(layers, Order, Order);
        Shortcut = shortcut.Count > 0 ? LayerSequence.Arrange(shortcut, Order, Order) : [];
        Parameters = [.. Leaves.SelectMany(layer => layer.Parameters)];
    }

    /// <summary>The layers of f.</summary>
    internal IReadOnlyList<Layer> Layers { get; }

    /// <summary>The layers of the shortcut.</summary>
    internal IReadOnlyList<Layer> Shortcut { get; }

    /// <inheritdoc/>
    internal override ElementOrder Order { get; }

    /// <inheritdoc/>
    internal override IReadOnlyList<LayerParameter> Parameters { get; }

    /// <inheritdoc/>
    internal override IEnumerable<Layer> Leaves => Layers.Concat(Shortcut).SelectMany(layer => layer.Leaves);

    /// <inheritdoc/>
    internal override int RandomStreams => Leaves.Sum(layer => layer.RandomStreams);

    /// <inheritdoc/>
    internal override long KeptLength =>
        SequencePlan.KeptLengthOf(Layers) + SequencePlan.KeptLengthOf(Shortcut) + (Gradients * (long)Math.Max(InputLength, OutputLength));

    /// <inheritdoc/>
    internal override string Description =>
        Shortcut.Count == 0
            ? $"residual({LayerSequence.Describe(Layers)})"
            : $"residual({LayerSequence.Describe(Layers)} | {LayerSequence.Describe(Shortcut)})";

    /// <inheritdoc/>
    internal override LayerExecutor CreateExecutor(ExecutorOptions options) => new ResidualExecutor(this, options);

    /// <inheritdoc/>
    internal override GraphValue AddTo(IOperatorGraph graph, GraphValue input, ReadOnlySpan<GraphValue> parameters)
    {
        var split = Layers.Sum(layer => layer.Parameters.Count);
        var inner = LayerSequence.AddTo(Layers, graph, input, parameters[..split]);
        var beside = LayerSequence.AddTo(Shortcut, graph, input, parameters[split..]);
        return inner.IsVector == beside.IsVector
            ? graph.Add("Add", [inner, beside])
            : graph.Add("Add", [graph.AsVector(inner), graph.AsVector(beside)]);
    }
}

/// <summary>
/// Runs a <see cref="ResidualLayer"/>: Y = f(X) + s(X), where s is the shortcut or nothing. With G the gradient with respect to Y, both
/// branches get G, and the gradients that they hand back are added: dX = df(G) + ds(G), in this order.
/// </summary>
internal sealed class ResidualExecutor : LayerExecutor
{
    private readonly ExecutorOptions _options;
    private readonly SequenceExecutor _layers;
    private readonly SequenceExecutor? _shortcut;
    private readonly int _layersLength; // parameters of f, which lie before those of the shortcut
    private readonly AlignedBuffer _shortcutOutputGradient;
    private readonly AlignedBuffer _shortcutInputGradient;

    /// <summary>Reserves both branches.</summary>
    internal ResidualExecutor(ResidualLayer layer, ExecutorOptions options)
        : base(layer)
    {
        _options = options;
        _layers = new SequenceExecutor(layer.Layers, options);
        var streams = layer.Layers.Sum(inner => inner.RandomStreams);
        _shortcut =
            layer.Shortcut.Count == 0
                ? null
                : new SequenceExecutor(layer.Shortcut, options with { FirstRandomStream = options.FirstRandomStream + streams });
        _layersLength = layer.Layers.Sum(inner => inner.ParameterLength);
        _shortcutOutputGradient = Reserve(options.MaximumRows, layer.OutputLength);
        _shortcutInputGradient = Reserve(options.MaximumRows, _shortcut is null ? 0 : layer.InputLength);
    }

    /// <inheritdoc/>
    internal override void BindWeights(ReadOnlyMemory<float> parameters)
    {
        _layers.BindWeights(parameters[.._layersLength]);
        _shortcut?.BindWeights(parameters[_layersLength..]);
    }

    /// <inheritdoc/>
    internal override void Forward(ReadOnlySpan<float> input, int rows, Span<float> output, in Pass pass)
    {
        ReadOnlySpan<float> inner = _layers.Forward(input, rows, pass);
        var beside = _shortcut is null ? input : _shortcut.Forward(input, rows, pass);
        ReductionKernels.Add(inner, beside, output, _options.Team);
    }

    /// <inheritdoc/>
    internal override void Backward(in BackwardPass backward)
    {
        // A backward pass may overwrite the gradient that it starts from, so the second branch needs its own.
        var outputGradient = backward.OutputGradient;
        var inputGradient = backward.InputGradient;
        var shortcutGradient = _shortcutOutputGradient.Span[..outputGradient.Length];
        outputGradient.CopyTo(shortcutGradient);
        _layers.Backward(Branch(backward, outputGradient, inputGradient, .._layersLength));
        if (_shortcut is not null)
        {
            var shortcutInputGradient = _shortcutInputGradient.Span[..inputGradient.Length];
            _shortcut.Backward(Branch(backward, shortcutGradient, shortcutInputGradient, _layersLength..));
            shortcutGradient = shortcutInputGradient;
        }

        if (_options.NeedsInputGradient)
            ReductionKernels.Add(inputGradient, shortcutGradient, inputGradient, _options.Team);
    }

    private static BackwardPass Branch(in BackwardPass whole, Span<float> outputGradient, Span<float> inputGradient, Range parameters) =>
        new()
        {
            Input = whole.Input,
            Rows = whole.Rows,
            OutputGradient = outputGradient,
            InputGradient = inputGradient,
            ParameterGradient = whole.ParameterGradient[parameters],
            Pass = whole.Pass,
        };
}
