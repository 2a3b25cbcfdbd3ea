using System.Globalization;
using System.Text.Json;

namespace Distributed.Model;

/// <summary>
/// The properties of one layer in a model file. Remembers which were read, so that the rest can be refused: a misspelled
/// property must not be ignored. Every error names the file and the layer.
/// </summary>
/// <param name="place">File and layer, such as <c>model.json: layers[2]</c>.</param>
/// <param name="layer">Any JSON value.</param>
/// <param name="depth">In how many other layers this one lies.</param>
internal sealed class LayerFields(string place, JsonElement layer, int depth = 0)
{
    // Deeper than any model needs, and less than the depth at which a JSON reader gives up: each layer inside another has two levels.
    private const int MaximumDepth = 16;

    private readonly List<string> _read = [];

    /// <summary>The value of a property that must be a string.</summary>
    internal string RequireString(string name)
    {
        var value = Require(name, "a string");
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw WrongValue(name, value, "a string");
    }

    /// <summary>The value of a property that must be a whole number in a range.</summary>
    internal int RequireInteger(string name, int minimum, int maximum)
    {
        var expected = $"a whole number from {minimum} to {maximum}";
        var value = Require(name, expected);
        var fits = value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= minimum && number <= maximum;
        return fits ? value.GetInt32() : throw WrongValue(name, value, expected);
    }

    /// <summary>The value of a property that must be a whole number in a range, or the default where it is not there.</summary>
    internal int OptionalInteger(string name, int minimum, int maximum, int defaultValue) =>
        Find(name) is null ? defaultValue : RequireInteger(name, minimum, maximum);

    /// <summary>The value of a property that must be a number in a range, or the default where it is not there.</summary>
    internal float OptionalNumber(string name, float minimum, float maximum, float defaultValue) =>
        Find(name) is null ? defaultValue : RequireNumber(name, minimum, maximum);

    /// <summary>The value of a property that must be a number in a range.</summary>
    internal float RequireNumber(string name, float minimum, float maximum)
    {
        var expected = string.Create(CultureInfo.InvariantCulture, $"a number from {minimum} to {maximum}");
        var value = Require(name, expected);
        var fits = value.ValueKind == JsonValueKind.Number && value.TryGetSingle(out var number) && number >= minimum && number <= maximum;
        return fits ? value.GetSingle() : throw WrongValue(name, value, expected);
    }

    /// <summary>The value of a property that must be true or false, or the default where it is not there.</summary>
    internal bool OptionalBoolean(string name, bool defaultValue)
    {
        var value = Find(name);
        return value?.ValueKind switch
        {
            null => defaultValue,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw WrongValue(name, value.Value, "true or false"),
        };
    }

    /// <summary>The layers that a property lists, at least one.</summary>
    internal IReadOnlyList<LayerSpec> RequireLayers(string name)
    {
        const string expected = "a list of layers, at least one";
        var value = Require(name, expected);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0)
            throw WrongValue(name, value, expected);
        if (depth == MaximumDepth)
            throw Error($"it lies in {depth} other layers: use at most {MaximumDepth - 1}");
        return
        [
            .. value
                .EnumerateArray()
                .Select((inner, index) => LayerTypes.Read(new LayerFields($"{place}.{name}[{index}]", inner, depth + 1))),
        ];
    }

    /// <summary>The layers that a property lists, at least one; none where it is not there.</summary>
    internal IReadOnlyList<LayerSpec> OptionalLayers(string name) => Find(name) is null ? [] : RequireLayers(name);

    /// <summary>The value of a property of any kind, or null where it is not there.</summary>
    internal JsonElement? Find(string name)
    {
        _read.Add(name);
        return layer.TryGetProperty(name, out var value) ? value : null;
    }

    /// <summary>Refuses properties that nothing has asked for.</summary>
    internal void RefuseUnread(string type)
    {
        foreach (var property in layer.EnumerateObject())
        {
            if (!_read.Contains(property.Name))
                throw Error($"'{property.Name}' is not a property of {type}: it has {string.Join(", ", _read.Distinct())}");
        }
    }

    internal InputException Error(string message) => new($"{place}: {message}");

    private JsonElement Require(string name, string expected)
    {
        if (layer.ValueKind != JsonValueKind.Object)
            throw Error($"{Shown(layer)} is not a layer: use {{\"type\": ..}} with one of {LayerTypes.Names}");
        return Find(name) ?? throw Error($"'{name}' is missing: add {expected}");
    }

    /// <summary>The error of a property whose value is none of those expected.</summary>
    internal InputException WrongValue(string name, JsonElement value, string expected) =>
        Error($"'{name}' is {Shown(value)}: use {expected}");

    /// <summary>The value on one line and cut to a length that a message can hold.</summary>
    private static string Shown(JsonElement value)
    {
        const int longest = 40;
        var text = string.Join(' ', value.GetRawText().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return text.Length <= longest ? text : text[..longest] + "..";
    }
}
