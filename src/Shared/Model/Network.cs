using System.Globalization;

namespace Distributed.Model;

/// <summary>
/// A model with all sizes settled for one input shape and number of classes; immutable, so that any number of
/// <see cref="NetworkExecutor"/>s can share it.
/// </summary>
public sealed class Network
{
    private readonly SampleShape _input;
    private readonly List<Layer> _layers = [];

    /// <summary>Settles a model's sizes, and adds a dense layer to the classes where the model does not end in one.</summary>
    /// <param name="spec">The layers.</param>
    /// <param name="input">Shape of one sample.</param>
    /// <param name="classes">Number of classes, at least 2.</param>
    /// <exception cref="InputException">A layer cannot take its input, there are too few or too many classes, or the model is too large.</exception>
    public Network(ModelSpec spec, SampleShape input, int classes)
    {
        if (classes is < 2 or > DenseSpec.MaximumUnits)
            throw new InputException($"the data has {classes} classes: a classifier needs 2 to {DenseSpec.MaximumUnits}");
        _input = input;
        InputLength = input.Length;
        Classes = classes;
        foreach (LayerSpec layer in spec.Layers)
            Append(layer);
        if (spec.Layers is not [.., DenseSpec last] || last.Units != classes)
            Append(new DenseSpec(classes));
        Layout = ParameterLayout.Of(NamedParameters());
    }

    /// <summary>Where each parameter lies in the flat vector.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>Number of values in one input sample.</summary>
    public int InputLength { get; }

    /// <summary>Number of classes: the width of the logits.</summary>
    public int Classes { get; }

    internal IReadOnlyList<Layer> Layers => _layers;

    /// <summary>Sets all parameters to their initial values: a pure function of the model and the seed.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="weights">Flat vector of all parameters; overwritten.</param>
    /// <exception cref="ArgumentException">The vector has another length than the layout.</exception>
    public void InitializeWeights(ulong seed, Span<float> weights)
    {
        if (weights.Length != Layout.Length)
            throw new ArgumentException($"{weights.Length} weights, expected {Layout.Length}", nameof(weights));
        int index = 0;
        foreach (LayerParameter parameter in _layers.SelectMany(layer => layer.Parameters))
        {
            Parameter place = Layout.Parameters[index];
            WeightInitialization.Fill(seed, index, parameter.Initial, weights.Slice(place.Offset, place.Length));
            index++;
        }
    }

    /// <summary>The model in one line, such as <c>1x8x8 -> dense 512, relu -> dense 10 (38,410 parameters)</c>.</summary>
    public string Describe()
    {
        string layers = string.Join(" -> ", _layers.Select(layer => layer.Description));
        return string.Create(CultureInfo.InvariantCulture, $"{_input} -> {layers} ({Layout.Length:N0} parameters)");
    }

    /// <summary>Adds a layer; an activation function becomes part of the layer before it where that one can apply it.</summary>
    private void Append(LayerSpec spec)
    {
        Layer? fused = spec is ActivationSpec activation && _layers.Count > 0 ? _layers[^1].WithActivation(activation.Function) : null;
        if (fused is not null)
            _layers[^1] = fused;
        else
            _layers.Add(spec.Resolve(_layers.Count > 0 ? _layers[^1].Output : _input));
    }

    /// <summary><c>layers.I.suffix</c>, where I counts the layers that have parameters.</summary>
    private IEnumerable<(string Name, IReadOnlyList<int> Shape, float? RunningMomentum)> NamedParameters() =>
        _layers.Where(layer => layer.Parameters.Count > 0).SelectMany((layer, index) =>
            layer.Parameters.Select(parameter => ($"layers.{index}.{parameter.Suffix}", parameter.Shape, parameter.RunningMomentum)));
}
