using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Distributed.Coordinator;

/// <summary>
/// JSON that every parser takes, whatever the numbers: one that is infinite or not a number is null, and a field beside it says so:
/// <c>"testLoss":null,"testLossReason":"it is infinite"</c>. Floats are written so that reading them gives the same bits.
/// </summary>
internal static class StrictJson
{
    private const string ReasonSuffix = "Reason";

    // Inside the tree, until it is written: stands for a number that JSON does not have.
    private const string Mark = "\0reason";

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Converters = { new DoubleConverter(), new SingleConverter() },
    };

    /// <summary>One line of JSON.</summary>
    public static string Serialize<T>(T value)
    {
        var node = JsonSerializer.SerializeToNode(value, Options)!;
        Resolve(node);
        return node.ToJsonString(Options);
    }

    /// <summary>Writes a number, or null and the reason.</summary>
    public static void WriteFinite(this Utf8JsonWriter writer, string name, double value)
    {
        if (double.IsFinite(value))
        {
            writer.WriteNumber(name, value);
            return;
        }

        writer.WriteNull(name);
        writer.WriteString(name + ReasonSuffix, ReasonOf(value));
    }

    /// <summary>Writes a number of single precision, with no more digits than it has, or null and the reason.</summary>
    public static void WriteFinite(this Utf8JsonWriter writer, string name, float value)
    {
        if (float.IsFinite(value))
            writer.WriteNumber(name, value);
        else
            WriteFinite(writer, name, (double)value);
    }

    private static string ReasonOf(double value) => double.IsNaN(value) ? "it is not a number" : "it is infinite";

    // Replaces the marks; a list says the reason beside itself.
    private static string? Resolve(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject mark when mark.TryGetPropertyValue(Mark, out var reason):
                return reason!.GetValue<string>();
            case JsonObject members:
                foreach (var (name, value) in members.ToList())
                {
                    if (Resolve(value) is not { } reason)
                        continue;
                    if (value is JsonObject)
                        members[name] = null;
                    members.Insert(members.IndexOf(name) + 1, name + ReasonSuffix, reason);
                }

                return null;
            case JsonArray elements:
                string? first = null;
                for (var index = 0; index < elements.Count; index++)
                {
                    if (Resolve(elements[index]) is not { } reason)
                        continue;
                    first ??= reason;
                    if (elements[index] is JsonObject)
                        elements[index] = null;
                }

                return first;
            default:
                return null;
        }
    }

    private static void Write(Utf8JsonWriter writer, double value)
    {
        writer.WriteStartObject();
        writer.WriteString(Mark, ReasonOf(value));
        writer.WriteEndObject();
    }

    private sealed class DoubleConverter : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (double.IsFinite(value))
                writer.WriteNumberValue(value);
            else
                StrictJson.Write(writer, value);
        }
    }

    private sealed class SingleConverter : JsonConverter<float>
    {
        public override float Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetSingle();

        public override void Write(Utf8JsonWriter writer, float value, JsonSerializerOptions options)
        {
            if (float.IsFinite(value))
                writer.WriteNumberValue(value);
            else
                StrictJson.Write(writer, value);
        }
    }
}
