using System.Text.Json;

namespace Distributed.Model;

/// <summary>
/// One layer as the user asked for it, before the shape of its input is known. To add a type: derive from this class, derive
/// what it resolves to from <see cref="Layer"/>, and name it in <see cref="LayerTypes"/>.
/// </summary>
public abstract record LayerSpec
{
    /// <summary>The name that stands in model files, such as <c>dense</c>.</summary>
    public abstract string Type { get; }

    /// <summary>Writes the properties that follow <c>"type"</c> in a model file.</summary>
    internal virtual void WriteProperties(Utf8JsonWriter writer)
    {
    }

    /// <summary>Checks the layer against its input and settles its sizes.</summary>
    /// <param name="input">Shape of one sample as the layer before leaves it.</param>
    /// <exception cref="InputException">The layer cannot take this input.</exception>
    internal abstract Layer Resolve(SampleShape input);
}
