using System.Globalization;
using Distributed.Kernels.Embeddings;
using Distributed.Model.Layers;

namespace Distributed.Model;

/// <summary>
/// A model with all sizes settled for one input shape and output width; immutable, so that any number of
/// <see cref="NetworkExecutor"/>s can share it.
/// </summary>
internal sealed class Network
{
    /// <summary>Settles a model's sizes, and adds a dense layer to the outputs where the model does not end in one.</summary>
    /// <param name="spec">The layers.</param>
    /// <param name="input">What a sample is made of.</param>
    /// <param name="outputs">Values that the model puts out for a sample, at least 1.</param>
    /// <exception cref="InputException">
    /// A layer cannot take its input, there are too few or too many outputs, or the model is too large.
    /// </exception>
    public Network(ModelSpec spec, InputColumns input, int outputs)
    {
        if (outputs is < 1 or > DenseSpec.MaximumUnits)
            throw new InputException($"the data asks for {outputs} outputs: a model has 1 to {DenseSpec.MaximumUnits}");
        Input = input;
        OutputWidth = outputs;
        Layers = LayerSequence.Arrange(Resolve(spec, input, outputs), ElementOrder.Planar, ElementOrder.Planar);
        Layout = ParameterLayout.Of(NamedParameters());
    }

    /// <summary>Where each parameter lies in the flat vector.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>What a sample is made of.</summary>
    public InputColumns Input { get; }

    /// <summary>Number of values in one input sample.</summary>
    public int InputLength => Input.Shape.Length;

    /// <summary>Number of values in the output for one sample.</summary>
    public int OutputWidth { get; }

    /// <summary>The tables that lie at the beginning of the flat vector; null where the model has none.</summary>
    public EmbeddingShape? Tables => Layers.OfType<EmbeddingLayer>().FirstOrDefault()?.Shape();

    /// <summary>The layers from the input to the output, with conversions of the order of elements where they are needed.</summary>
    internal IReadOnlyList<Layer> Layers { get; }

    /// <summary>Values per sample that one pass keeps in memory.</summary>
    internal long ActivationLength => InputLength + SequencePlan.KeptLengthOf(Layers);

    /// <summary>The most values per sample after a layer that takes whole passes.</summary>
    internal int WidestInPass => new SequencePlan(Layers).WidestInPass;

    /// <summary>Sets all parameters to their initial values: a pure function of the model and the seed.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="weights">Flat vector of all parameters; overwritten.</param>
    /// <exception cref="ArgumentException">The vector has another length than the layout.</exception>
    public void InitializeWeights(ulong seed, Span<float> weights)
    {
        if (weights.Length != Layout.Length)
            throw new ArgumentException($"{weights.Length} weights, expected {Layout.Length}", nameof(weights));
        var index = 0;
        foreach (var parameter in Layers.SelectMany(layer => layer.Parameters))
        {
            var place = Layout.Parameters[index];
            WeightInitialization.Fill(seed, index, parameter.Initial, weights.Slice(place.Offset, place.Length));
            index++;
        }
    }

    /// <summary>The model in one line, such as <c>1x8x8 -> dense 512, relu -> dense 10 (38,410 parameters)</c>.</summary>
    public string Describe() =>
        string.Create(CultureInfo.InvariantCulture, $"{Input.Shape} -> {LayerSequence.Describe(Layers)} ({Layout.Length:N0} parameters)");

    private static IReadOnlyList<Layer> Resolve(ModelSpec spec, InputColumns input, int outputs)
    {
        var endsInOutputs = spec.Layers is [.., DenseSpec last] && last.Units == outputs;
        try
        {
            return LayerSequence.Resolve(endsInOutputs ? spec.Layers : [.. spec.Layers, new DenseSpec(outputs)], input, "layers");
        }
        catch (InputException failure) when (input.Shape is { Channels: 1, Height: 1 } && spec.Layers.Any(layer => layer is Conv2dSpec))
        {
            throw new InputException(
                $"{failure.Message}; the data has no images but {input.Shape.Width} features: use a model without convolutions, such as mlp",
                failure
            );
        }
    }

    /// <summary><c>layers.I.suffix</c>, where I counts the layers that have parameters, depth first.</summary>
    private IEnumerable<(string Name, IReadOnlyList<int> Shape, float? RunningMomentum)> NamedParameters() =>
        Layers
            .SelectMany(layer => layer.Leaves)
            .Where(layer => layer.Parameters.Count > 0)
            .SelectMany(
                (layer, index) =>
                    layer.Parameters.Select(parameter => ($"layers.{index}.{parameter.Suffix}", parameter.Shape, parameter.RunningMomentum))
            );
}
