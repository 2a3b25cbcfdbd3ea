using System.Text;
using System.Text.Json;

namespace Distributed.Coordinator.Options;

/// <summary>
/// A JSON file of options: one object whose keys are option names without dashes, such as <c>{"batch-size": 256, "nesterov": true}</c>.
/// </summary>
internal static class ConfigurationFile
{
    /// <summary>The name of the option that names the file.</summary>
    internal const string OptionName = "--config";

    private const int MostCharacters = 1 << 20; // a model of a thousand layers has some 50,000

    /// <summary>Reads the options that a file sets.</summary>
    /// <param name="path">The file.</param>
    /// <param name="table">The options that it may set.</param>
    /// <param name="problems">Takes a line for every bad key or value.</param>
    /// <exception cref="InputException">The file cannot be read or is not one JSON object.</exception>
    internal static IReadOnlyList<OptionValue> Read<TSettings>(string path, OptionTable<TSettings> table, ICollection<string> problems)
    {
        using var document = Parse(path);
        try
        {
            return Read(document, path, table, problems);
        }
        catch (InvalidOperationException exception)
        {
            // A text that is not UTF-8 passes the parser and is refused where it is read.
            throw Unreadable(path, exception);
        }
    }

    private static List<OptionValue> Read<TSettings>(
        JsonDocument document,
        string path,
        OptionTable<TSettings> table,
        ICollection<string> problems
    )
    {
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            throw new InputException($"{OptionName} {path}: must hold one JSON object, such as {{\"batch-size\": 256}}");
        var values = new List<OptionValue>();
        foreach (var property in document.RootElement.EnumerateObject())
        {
            var spec = property.Name == OptionName[2..] ? null : table.Find("--" + property.Name);
            if (spec is null)
            {
                problems.Add(
                    $"{OptionName} {path}: '{property.Name}' is no option{Suggestion.For(property.Name, table.Specs.Select(known => known.Name[2..]))}"
                );
            }
            else if (Text(property.Value, spec.IsValueOptional) is { } text)
            {
                values.Add(new OptionValue(spec.Name, text, path));
            }
            else
            {
                problems.Add($"{OptionName} {path}: '{property.Name}' must be a text, a number, true or false");
            }
        }
        return values;
    }

    private static JsonDocument Parse(string path)
    {
        try
        {
            // Editors may begin the file with a mark of its encoding, which is no part of the JSON.
            using var text = new StreamReader(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
            var buffer = new char[MostCharacters + 1];
            var length = text.ReadBlock(buffer);
            return length <= MostCharacters
                ? JsonDocument.Parse(buffer.AsMemory(0, length), new JsonDocumentOptions { AllowDuplicateProperties = false })
                : throw new InputException($"{OptionName} {path}: is longer than {MostCharacters} characters, and so no file of options");
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or JsonException or DecoderFallbackException)
        {
            throw Unreadable(path, exception);
        }
    }

    private static InputException Unreadable(string path, Exception exception) =>
        new($"{OptionName} {path}: cannot be read ({exception.Message.ReplaceLineEndings(" ").TrimEnd('.')})", exception);

    /// <summary>The value as the command line would have it; an object can only be a model.</summary>
    private static string? Text(JsonElement value, bool isSwitch) =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number or JsonValueKind.Object => value.GetRawText(),
            JsonValueKind.True => isSwitch ? "true" : "on",
            JsonValueKind.False => isSwitch ? "false" : "off",
            _ => null,
        };
}
