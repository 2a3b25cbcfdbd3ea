using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distributed;

/// <summary>A value of an enumeration by its name in lower case, as the command line writes it; neither numbers nor other spellings.</summary>
internal sealed class EnumNameConverter<T> : JsonConverter<T>
    where T : struct, Enum
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        foreach (var value in Enum.GetValues<T>())
        {
            if (Name(value) == text)
                return value;
        }

        throw new JsonException($"'{text}' is none of {string.Join(", ", Enum.GetValues<T>().Select(Name))}");
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(Name(value));

    private static string Name(T value) => value.ToString().ToLowerInvariant();
}
