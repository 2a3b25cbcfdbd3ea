using System.Text;
using System.Text.Json;
using Distributed.Model.Layers;

namespace Distributed.Model;

/// <summary>
/// The layers of a model as the user asked for them; immutable. Its canonical JSON is what a run records and what travels to
/// workers, never the path of a file.
/// </summary>
internal sealed class ModelSpec
{
    /// <summary>Creates a model from its layers.</summary>
    /// <param name="layers">From the input to the output; may be empty, since <see cref="Network"/> adds the last dense layer.</param>
    public ModelSpec(IEnumerable<LayerSpec> layers) => Layers = [.. layers];

    /// <summary>The layers from the input to the output.</summary>
    public IReadOnlyList<LayerSpec> Layers { get; }

    /// <summary>Reads the value of the option <c>--model</c>.</summary>
    /// <param name="option">
    /// <c>mlp</c>, <c>mlp:H1,H2,..</c>, <c>cnn</c>, <c>resnet8</c> or the path of a model file, which ends in <c>.json</c>.
    /// </param>
    /// <exception cref="InputException">There is no such preset, a size is bad, or the file is missing or wrong.</exception>
    public static ModelSpec Parse(string option) =>
        ModelPresets.Find(option)
        ?? (option.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || File.Exists(option) ? ModelSpecReader.Load(option) : null)
        ?? throw new InputException($"the model '{option}' is unknown: use {ModelPresets.Names} or the path of a model file, FILE.json");

    /// <summary>Reads the text of a model file.</summary>
    /// <param name="json">One object, <c>{"layers":[..]}</c>, as docs/model.md describes it.</param>
    /// <param name="sourceName">What messages call the text, usually the file's path.</param>
    /// <exception cref="InputException">The text is not a model; the message names the place and the remedy.</exception>
    public static ModelSpec FromJson(string json, string sourceName) => ModelSpecReader.Read(json, sourceName);

    /// <summary>The canonical text: no white space, <c>type</c> first. Reading it gives the same model.</summary>
    public string ToJson()
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter writer = new(text))
            Write(writer);
        return Encoding.UTF8.GetString(text.ToArray());
    }

    /// <summary>
    /// The model with all that follows from the data it is to be trained on. Where samples have categories, which other layers do not take,
    /// and the model has no embedding, one stands behind its layers for columns. What is fitted already stays as it is, and
    /// an encoding of numbers for data that has none is left out.
    /// </summary>
    /// <param name="input">What samples are made of.</param>
    /// <param name="training">The samples.</param>
    public ModelSpec Fitted(InputColumns input, ITrainingColumns training)
    {
        List<LayerSpec> layers = [.. Layers.Where(layer => layer is not PiecewiseSpec { Edges.Count: 0 } || input.NumberCount > 0)];
        if (input.Categories.Count > 0 && !layers.Any(layer => layer is EmbeddingSpec))
            layers.Insert(layers.TakeWhile(layer => layer is InputLayerSpec).Count(), new EmbeddingSpec());
        return new ModelSpec(layers.Select(layer => layer.Fitted(input, training)));
    }

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        LayerSpec.WriteList(writer, "layers", Layers);
        writer.WriteEndObject();
    }
}
