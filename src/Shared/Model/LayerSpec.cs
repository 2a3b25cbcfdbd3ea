using System.Text.Json;

namespace Distributed.Model;

/// <summary>
/// One layer as the user asked for it, before the shape of its input is known. To add a type: derive from this class, derive
/// what it resolves to from <see cref="Layer"/>, and name it in <see cref="LayerTypes"/>.
/// </summary>
internal abstract record LayerSpec
{
    /// <summary>The name that stands in model files, such as <c>dense</c>.</summary>
    public abstract string Type { get; }

    /// <summary>Number of layers, those inside included.</summary>
    internal virtual int LayerCount => 1;

    /// <summary>Writes a list of layers as a property.</summary>
    internal static void WriteList(Utf8JsonWriter writer, string name, IEnumerable<LayerSpec> layers)
    {
        writer.WriteStartArray(name);
        foreach (var layer in layers)
        {
            writer.WriteStartObject();
            writer.WriteString("type", layer.Type);
            layer.WriteProperties(writer);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>Writes the properties that follow <c>"type"</c> in a model file.</summary>
    internal virtual void WriteProperties(Utf8JsonWriter writer) { }

    /// <summary>The layer with all that follows from the data it is to be trained on; itself where that has been settled.</summary>
    /// <param name="input">What samples are made of.</param>
    /// <param name="training">The samples.</param>
    internal virtual LayerSpec Fitted(InputColumns input, ITrainingColumns training) => this;

    /// <summary>Checks the layer against its input and settles its sizes.</summary>
    /// <param name="input">Shape of one sample as the layer before leaves it.</param>
    /// <exception cref="InputException">
    /// The layer cannot take this input; the message has the sizes, and its place is put before it.
    /// </exception>
    internal abstract Layer Resolve(SampleShape input);
}
