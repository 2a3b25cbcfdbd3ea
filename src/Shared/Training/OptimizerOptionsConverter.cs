using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distributed.Training;

/// <summary>
/// An optimizer as <c>config.json</c> has it. Whatever the optimizer, the constants that the first version knew are written, with their
/// defaults where the optimizer has none such: the hash by which checkpoints know their run is over all of them.
/// </summary>
internal sealed class OptimizerOptionsConverter : JsonConverter<OptimizerOptions>
{
    private const string LearningRateName = "learningRate";
    private const string WeightDecayName = "weightDecay";
    private const string ClipNormName = "clipNorm";
    private const string MomentumName = "momentum";

    /// <summary>What every file holds, in its order; further constants follow, where the optimizer has them.</summary>
    private static readonly OptimizerConstant[] Always = [.. new SgdOptions().Constants, .. new AdamOptions().Constants];

    private static readonly OptimizerOptions[] Defaults = [new SgdOptions(), new AdamOptions()];

    public override OptimizerOptions Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var kind = KindJson.Read(document.RootElement);
        var optimizer = OptimizerOptions.Find(kind) ?? throw new JsonException($"'{KindJson.Name}' is {kind}, which is no optimizer");
        foreach (var property in document.RootElement.EnumerateObject().Where(property => property.Name != KindJson.Name))
            optimizer = With(optimizer, property.Name, property.Value);
        return optimizer;
    }

    public override void Write(Utf8JsonWriter writer, OptimizerOptions value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteString(KindJson.Name, value.Name);
        writer.WriteNumber(LearningRateName, value.LearningRate);
        foreach (var constant in Always.UnionBy(value.Constants, constant => constant.Property))
            Write(writer, constant, Own(constant, value)?.Get(value) ?? Unused(constant, value));
        writer.WriteNumber(WeightDecayName, value.WeightDecay);
        if (value.ClipNorm is { } norm)
            writer.WriteNumber(ClipNormName, norm);
        else
            writer.WriteNull(ClipNormName);
        writer.WriteEndObject();
    }

    private static OptimizerOptions With(OptimizerOptions optimizer, string name, JsonElement value) =>
        name switch
        {
            LearningRateName => optimizer with { LearningRate = Number(name, value) },
            WeightDecayName => optimizer with { WeightDecay = Number(name, value) },
            ClipNormName => optimizer with { ClipNorm = value.ValueKind == JsonValueKind.Null ? null : Number(name, value) },
            _ when optimizer.Constants.FirstOrDefault(constant => NameOf(constant) == name) is { } own => own.Set(
                optimizer,
                own.IsSwitch ? Switch(name, value) : Number(name, value)
            ),
            MomentumName => optimizer with { UnusedMomentum = OtherThan(new SgdOptions().Momentum, Number(name, value)) },
            _ when Always.Any(constant => NameOf(constant) == name) => optimizer,
            _ => throw new JsonException($"'{name}' is no constant of {optimizer.Name}"),
        };

    /// <summary>The constant of this name that the optimizer has itself, or null.</summary>
    private static OptimizerConstant? Own(OptimizerConstant constant, OptimizerOptions optimizer) =>
        optimizer.Constants.FirstOrDefault(own => own.Property == constant.Property);

    private static object Unused(OptimizerConstant constant, OptimizerOptions optimizer) =>
        NameOf(constant) == MomentumName && optimizer.UnusedMomentum is { } momentum
            ? momentum
            : Defaults.Select(constant.Get).First(value => value is not null)!;

    private static double? OtherThan(double usual, double value) => value == usual ? null : value;

    private static double Number(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
            ? number
            : throw new JsonException($"'{name}' is {value.GetRawText()}, which is not a number");

    private static bool Switch(string name, JsonElement value) =>
        value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw new JsonException($"'{name}' is {value.GetRawText()}, which is not true or false");

    private static string NameOf(OptimizerConstant constant) => JsonNamingPolicy.CamelCase.ConvertName(constant.Property);

    private static void Write(Utf8JsonWriter writer, OptimizerConstant constant, object value)
    {
        if (value is bool isOn)
            writer.WriteBoolean(NameOf(constant), isOn);
        else
            writer.WriteNumber(NameOf(constant), (double)value);
    }
}

/// <summary>The member of an object that says which of several types the object is.</summary>
internal static class KindJson
{
    internal const string Name = "kind";

    /// <summary>Reads the kind of an object.</summary>
    /// <exception cref="JsonException">It is not an object, or its kind is not a text.</exception>
    internal static string Read(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(Name, out var kind) && kind.ValueKind == JsonValueKind.String
            ? kind.GetString()!
            : throw new JsonException($"'{Name}' must be a name");
}
