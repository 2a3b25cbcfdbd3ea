using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distributed.Coordinator.Runs;

/// <summary>
/// A run's summary as one flat object, in which the metrics of the test set stand behind its loss: <c>testLoss</c>, <c>testAccuracy</c>;
/// and likewise those of the held-out part.
/// </summary>
internal sealed class RunSummaryConverter : JsonConverter<RunSummary>
{
    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, RunSummary value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteNumber("steps", value.Steps);
        writer.WriteNumber("samples", value.Samples);
        writer.WriteFinite("seconds", value.Seconds);
        writer.WriteFinite("samplesPerSecond", value.SamplesPerSecond);
        writer.WriteFinite("trainLoss", value.TrainLoss);
        writer.WriteFinite(JudgedFigures.TestLoss, value.TestLoss);
        foreach (var (name, figure) in JudgedFigures.Of(value.TestMetrics, value.HeldOut))
            writer.WriteFinite(name, figure);
        WriteNumber(writer, "bestStep", value.BestStep);
        WriteNumber(writer, "bestTestLoss", value.BestTestLoss);
        if (value.HeldOut is not null)
            WriteNumber(writer, "bestHoldoutLoss", value.BestHoldoutLoss);
        writer.WriteString("bestCheckpoint", value.BestCheckpoint);
        if (value.StoppedEarly is { } stoppedEarly)
        {
            writer.WriteBoolean("stoppedEarly", stoppedEarly);
            writer.WriteString("stopReason", value.StopReason);
        }

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
                JudgedFigures.Number(json, "seconds"),
                JudgedFigures.Number(json, "samplesPerSecond"),
                JudgedFigures.Number(json, "trainLoss"),
                JudgedFigures.Number(json, JudgedFigures.TestLoss),
                JudgedFigures.TestMetrics(json),
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
                HeldOut = JudgedFigures.HeldOut(json),
                BestHoldoutLoss = Known(json, "bestHoldoutLoss")?.GetDouble(),
                StoppedEarly = Known(json, "stoppedEarly")?.GetBoolean(),
                StopReason = Known(json, "stopReason")?.GetString(),
            };
        }
        catch (Exception exception) when (exception is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new JsonException(exception.Message, exception);
        }
    }

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
}
