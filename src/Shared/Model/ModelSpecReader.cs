using System.Text.Json;

namespace Distributed.Model;

/// <summary>Reads model files, strictly: what is not understood is refused, never ignored.</summary>
internal static class ModelSpecReader
{
    /// <summary>The most layers a model can have.</summary>
    internal const int MaximumLayers = 1024;

    private const int MaximumBytes = 1 << 20;
    private const string Form = "{\"layers\":[{\"type\":\"dense\",\"units\":512},{\"type\":\"relu\"}]}";
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a file.</summary>
    /// <exception cref="InputException">The file is missing, unreadable, too large or not a model.</exception>
    internal static ModelSpec Load(string path)
    {
        try
        {
            using var file = InputFile.OpenRead(path);
            var content = new byte[MaximumBytes + 1];
            var length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            if (length > MaximumBytes)
                throw new InputException($"the model file '{path}' has more than {MaximumBytes} bytes, the most that a model may have");
            using var text = new StreamReader(new MemoryStream(content, 0, length));
            return Read(text.ReadToEnd(), path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"the model file '{path}' cannot be read: {OneLine(failure)}", failure);
        }
    }

    /// <summary>Reads the text of a file.</summary>
    /// <exception cref="InputException">The text is not a model.</exception>
    internal static ModelSpec Read(string json, string sourceName)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            return Read(document.RootElement, sourceName);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // Half of a surrogate pair, such as "\ud800", passes the parser and is refused where it is read.
            throw new InputException($"{sourceName}: it is not JSON: {OneLine(failure)}", failure);
        }
    }

    private static ModelSpec Read(JsonElement root, string sourceName)
    {
        var layers = Layers(root, sourceName);
        ModelSpec model = new(
            layers.EnumerateArray().Select((layer, index) => LayerTypes.Read(new LayerFields($"{sourceName}: layers[{index}]", layer)))
        );
        var count = model.Layers.Sum(layer => layer.LayerCount);
        return count <= MaximumLayers
            ? model
            : throw new InputException($"{sourceName}: it has {count} layers: use at most {MaximumLayers}");
    }

    /// <summary>The array of layers, which must be the only property.</summary>
    private static JsonElement Layers(JsonElement root, string sourceName)
    {
        if (
            root.ValueKind != JsonValueKind.Object
            || !root.TryGetProperty("layers", out var layers)
            || layers.ValueKind != JsonValueKind.Array
        )
        {
            throw new InputException($"{sourceName}: it has no array 'layers': write {Form}");
        }

        foreach (var property in root.EnumerateObject())
        {
            if (property.Name is not ("layers" or "$schema"))
                throw new InputException($"{sourceName}: '{property.Name}' is not a property of a model: it has only 'layers'");
        }

        return layers;
    }

    private static string OneLine(Exception failure) => failure.Message.ReplaceLineEndings(" ");
}
