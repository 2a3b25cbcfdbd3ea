using System.Text.Json;

namespace Distributed.Coordinator.Dashboard;

/// <summary>
/// The parts of a <see cref="DashboardModel"/> as the page reads them. A part that a reader knows already is left out. The writer escapes
/// <c>&lt;</c>, <c>&gt;</c> and <c>&amp;</c>, so that the text can stand inside a page.
/// </summary>
internal static class ModelJson
{
    /// <summary>The facts.</summary>
    public static void Write(Utf8JsonWriter json, RunFacts facts)
    {
        json.WriteString("name", Printable.Of(facts.Name));
        json.WriteString("folder", Printable.Of(facts.Folder));
        json.WritePropertyName("configuration");
        using var document = JsonDocument.Parse(facts.Configuration);
        document.RootElement.WriteTo(json); // parsed, so that it is escaped as the rest is
    }

    /// <summary>How far the run is.</summary>
    public static void Write(Utf8JsonWriter json, RunPosition progress, double elapsed, double? left)
    {
        json.WriteStartObject("progress");
        json.WriteString("state", Name(progress.State));
        json.WriteString("detail", progress.Detail);
        json.WriteNumber("step", progress.Step);
        json.WriteNumber("totalSteps", progress.TotalSteps);
        json.WriteNumber("epoch", progress.Epoch);
        json.WriteNumber("elapsedSeconds", Math.Round(elapsed, 1));
        if (left is { } seconds)
            json.WriteNumber("secondsLeft", Math.Round(seconds, 1));
        json.WriteEndObject();
    }

    /// <summary>The buckets of each curve that are new or have changed, as [first step, last step, mean, minimum, maximum].</summary>
    public static void Write(Utf8JsonWriter json, Cursor cursor, CurveSet curves)
    {
        json.WriteStartArray("curves");
        foreach (var (name, curve) in curves.All)
        {
            var known = cursor.Curves.GetValueOrDefault(name);
            // The last bucket that is known may have grown.
            var from = known.Generation == curve.Generation ? Math.Max(0, known.Count - 1) : 0;
            cursor.Curves[name] = (curve.Generation, curve.Count);
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteNumber("from", from);
            if (curve.Latest is { } latest)
                WriteRounded(json, "latest", latest);
            json.WriteStartArray("points");
            for (var index = from; index < curve.Count; index++)
                Write(json, curve[index]);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>The workers.</summary>
    public static void Write(Utf8JsonWriter json, Cursor cursor, WorkerTable workers)
    {
        if (cursor.Workers == workers.Version)
            return;
        cursor.Workers = workers.Version;
        json.WriteStartObject("workers");
        json.WriteNumber("present", workers.Present);
        json.WriteNumber("microbatches", workers.Microbatches);
        json.WriteStartArray("rows");
        foreach (var row in workers.Rows)
            Write(json, row);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The entries of the time line that are new; all of them if older ones have come.</summary>
    public static void Write(Utf8JsonWriter json, Cursor cursor, TimeLine timeLine)
    {
        var isNew = cursor.Version < 0 || cursor.TimeLine.Generation != timeLine.Generation;
        var from = isNew ? timeLine.First : Math.Max(cursor.TimeLine.Next, timeLine.First);
        if (!isNew && from == timeLine.Next)
            return;
        cursor.TimeLine = (timeLine.Generation, timeLine.Next);
        json.WriteStartObject("timeLine");
        json.WriteBoolean("all", isNew || from == timeLine.First);
        json.WriteStartArray("entries");
        foreach (var entry in timeLine.Entries.Skip((int)(from - timeLine.First)))
        {
            json.WriteStartObject();
            json.WriteNumber("time", entry.Time.ToUnixTimeMilliseconds());
            json.WriteNumber("step", entry.Step);
            json.WriteString("kind", entry.Kind);
            json.WriteString("text", entry.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The mistakes.</summary>
    public static void Write(Utf8JsonWriter json, Cursor cursor, Mistakes? mistakes)
    {
        if (mistakes is null || cursor.Mistakes == mistakes)
            return;
        cursor.Mistakes = mistakes;
        json.WritePropertyName("mistakes");
        JsonSerializer.Serialize(json, mistakes, JsonSerializerOptions.Web);
    }

    private static void Write(Utf8JsonWriter json, CurveBucket bucket)
    {
        json.WriteStartArray();
        json.WriteNumberValue(bucket.First);
        json.WriteNumberValue(bucket.Last);
        WriteRounded(json, bucket.Mean);
        WriteRounded(json, bucket.Minimum);
        WriteRounded(json, bucket.Maximum);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, WorkerRow row)
    {
        json.WriteStartObject();
        json.WriteString("name", Printable.Of(row.Name));
        json.WriteString("state", Name(row.State));
        if (row.Address is { } address)
            json.WriteString("address", Printable.Of(address));
        if (row.Microbatches is { } microbatches)
            json.WriteNumber("microbatches", microbatches);
        if (row.Times is { } times)
        {
            json.WriteFinite("samplesPerSecond", times.SamplesPerSecond);
            json.WriteFinite("compute", times.Compute);
            json.WriteFinite("exchange", times.Exchange);
            json.WriteFinite("waiting", times.Waiting);
        }

        json.WriteEndObject();
    }

    private static string Name<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static void WriteRounded(Utf8JsonWriter json, string name, double value)
    {
        json.WritePropertyName(name);
        WriteRounded(json, value);
    }

    private static void WriteRounded(Utf8JsonWriter json, double value)
    {
        if ((float)value is var single && float.IsFinite(single))
            json.WriteNumberValue(single); // the shortest text that gives the same bits
        else
            json.WriteNumberValue(value);
    }
}
