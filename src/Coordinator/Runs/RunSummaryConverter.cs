using System.Text.Json;
using System.Text.Json.Serialization;
using Distributed.Objectives;

namespace Distributed.Coordinator.Runs;

/// <summary>
/// A run's summary as one flat object, in which the metrics of the test set stand behind its loss: <c>testLoss</c>, <c>testAccuracy</c>.
/// </summary>
internal sealed class RunSummaryConverter : JsonConverter<RunSummary>
{
    private const string TestLoss = "testLoss";
    private const string TestPrefix = "test";

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, RunSummary value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteNumber("steps", value.Steps);
        writer.WriteNumber("samples", value.Samples);
        writer.WriteFinite("seconds", value.Seconds);
        writer.WriteFinite("samplesPerSecond", value.SamplesPerSecond);
        writer.WriteFinite("trainLoss", value.TrainLoss);
        writer.WriteFinite(TestLoss, value.TestLoss);
        foreach (var metric in value.TestMetrics)
            writer.WriteFinite(metric.TestKey, metric.Value);
        WriteNumber(writer, "bestStep", value.BestStep);
        WriteNumber(writer, "bestTestLoss", value.BestTestLoss);
        writer.WriteString("bestCheckpoint", value.BestCheckpoint);
        writer.WriteString("weightsSha256", value.WeightsSha256);
        writer.WriteNumber("workers", value.Workers);
        writer.WriteString("transport", value.Transport);
        writer.WriteNumber("workersLost", value.WorkersLost);
        writer.WriteNumber("workersJoined", value.WorkersJoined);
        writer.WriteEndObject();
    }

    /// <summary>Reads the fields by name. Others are left aside: another version may have added them.</summary>
    public override RunSummary Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var json = JsonElement.ParseValue(ref reader);
        try
        {
            return new RunSummary(
                json.GetProperty("steps").GetInt64(),
                json.GetProperty("samples").GetInt64(),
                Number(json, "seconds"),
                Number(json, "samplesPerSecond"),
                Number(json, "trainLoss"),
                Number(json, TestLoss),
                Metrics(json),
                Text(json, "weightsSha256"),
                json.GetProperty("workers").GetInt32(),
                Text(json, "transport")
            )
            {
                WorkersLost = Count(json, "workersLost"),
                WorkersJoined = Count(json, "workersJoined"),
                BestStep = Known(json, "bestStep")?.GetInt64(),
                BestTestLoss = Known(json, "bestTestLoss")?.GetDouble(),
                BestCheckpoint = Known(json, "bestCheckpoint")?.GetString(),
            };
        }
        catch (Exception exception) when (exception is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new JsonException(exception.Message, exception);
        }
    }

    // A number that JSON does not have was written as null.
    private static double Number(JsonElement json, string name) =>
        json.GetProperty(name) is { ValueKind: JsonValueKind.Null } ? double.NaN : json.GetProperty(name).GetDouble();

    // Earlier versions did not count.
    private static int Count(JsonElement json, string name) => json.TryGetProperty(name, out var count) ? count.GetInt32() : 0;

    // Earlier versions did not know the best; a run need not have one.
    private static JsonElement? Known(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static void WriteNumber<TNumber>(Utf8JsonWriter writer, string name, TNumber? value)
        where TNumber : struct
    {
        writer.WritePropertyName(name);
        JsonSerializer.Serialize(writer, value);
    }

    private static string Text(JsonElement json, string name) =>
        json.GetProperty(name).GetString() ?? throw new JsonException($"{name} is null");

    private static List<Metric> Metrics(JsonElement json) =>
        [
            .. json.EnumerateObject()
                .Where(field => field.Name.StartsWith(TestPrefix, StringComparison.Ordinal) && field.Name.Length > TestPrefix.Length)
                .Where(field => field.Name != TestLoss && field.Value.ValueKind is JsonValueKind.Number or JsonValueKind.Null)
                .Select(field => new Metric(Name(field.Name[TestPrefix.Length..]), Number(json, field.Name))),
        ];

    private static string Name(string key) => char.ToLowerInvariant(key[0]) + key[1..];
}
