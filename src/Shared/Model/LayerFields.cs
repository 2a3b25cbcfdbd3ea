using System.Text.Json;

namespace Distributed.Model;

/// <summary>
/// The properties of one layer in a model file. Remembers which were read, so that the rest can be refused: a misspelled
/// property must not be ignored. Every error names the file and the layer.
/// </summary>
/// <param name="place">File and layer, such as <c>model.json: layers[2]</c>.</param>
/// <param name="layer">Any JSON value.</param>
internal sealed class LayerFields(string place, JsonElement layer)
{
    private readonly List<string> _read = [];

    /// <summary>The value of a property that must be a string.</summary>
    internal string RequireString(string name)
    {
        JsonElement value = Require(name, "a string");
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw WrongValue(name, value, "a string");
    }

    /// <summary>The value of a property that must be a whole number in a range.</summary>
    internal int RequireInteger(string name, int minimum, int maximum)
    {
        string expected = $"a whole number from {minimum} to {maximum}";
        JsonElement value = Require(name, expected);
        bool fits = value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= minimum && number <= maximum;
        return fits ? value.GetInt32() : throw WrongValue(name, value, expected);
    }

    /// <summary>Refuses properties that nothing has asked for.</summary>
    internal void RefuseUnread(string type)
    {
        foreach (JsonProperty property in layer.EnumerateObject())
        {
            if (!_read.Contains(property.Name))
                throw Error($"'{property.Name}' is not a property of {type}: it has {string.Join(", ", _read)}");
        }
    }

    internal InputException Error(string message) => new($"{place}: {message}");

    private JsonElement Require(string name, string expected)
    {
        if (layer.ValueKind != JsonValueKind.Object)
            throw Error($"{Shown(layer)} is not a layer: use {{\"type\": ..}} with one of {LayerTypes.Names}");
        _read.Add(name);
        return layer.TryGetProperty(name, out JsonElement value) ? value : throw Error($"'{name}' is missing: add {expected}");
    }

    private InputException WrongValue(string name, JsonElement value, string expected) =>
        Error($"'{name}' is {Shown(value)}: use {expected}");

    /// <summary>The value on one line and cut to a length that a message can hold.</summary>
    private static string Shown(JsonElement value)
    {
        const int longest = 40;
        string text = string.Join(' ', value.GetRawText().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return text.Length <= longest ? text : text[..longest] + "..";
    }
}
