using System.Text.Json;
using Distributed.Collectives;

namespace Distributed.Coordinator.Runs;

/// <summary>
/// <c>metrics.jsonl</c>: a line for every step, and one for every evaluation. Floats are written so that reading them gives the same bits.
/// </summary>
/// <param name="path">The file; created by the first line.</param>
internal sealed class MetricsLog(string path) : IDisposable
{
    private FileStream? _stream;

    /// <summary>Whether any step has been logged.</summary>
    public bool Exists => File.Exists(path);

    /// <summary>Appends a step.</summary>
    public void Append(StepCompleted step) =>
        Append(json =>
        {
            json.WriteNumber("step", step.Step);
            json.WriteNumber("epoch", step.Epoch);
            json.WriteFinite("loss", step.Loss);
            json.WriteFinite("learningRate", step.LearningRate);
            json.WriteNumber("samples", step.Samples);
        });

    /// <summary>Appends an evaluation.</summary>
    public void Append(Evaluated evaluation) =>
        Append(json =>
        {
            json.WriteNumber("step", evaluation.Step);
            json.WriteFinite("testLoss", evaluation.TestLoss);
            foreach (var metric in evaluation.Metrics)
                json.WriteFinite(metric.TestKey, metric.Value);
        });

    /// <summary>Waits until all lines are on disk.</summary>
    public void FlushToDisk() => _stream?.Flush(flushToDisk: true);

    /// <summary>Drops the lines after a position and a last line that was cut short; the file is replaced atomically.</summary>
    /// <param name="position">What stays, see <see cref="Positions"/>.</param>
    public void Truncate(long position)
    {
        Dispose();
        if (!Exists)
            return;
        var kept = ReadLines(path).Where(line => PositionOf(line) <= position).Select(line => line.Text + "\n");
        Checkpoints.AtomicFile.WriteText(path, string.Concat(kept));
    }

    /// <summary>How far the log goes, see <see cref="Positions"/>; 0 if it holds nothing.</summary>
    public long Position() => ReadLines(path).Select(PositionOf).LastOrDefault();

    /// <summary>The mean loss per sample over the logged steps of the last epoch.</summary>
    /// <exception cref="InputException">The file holds no step.</exception>
    public double LastEpochLoss()
    {
        List<JsonElement> steps = [.. ReadLines(path).Where(line => line.Values.TryGetProperty("loss", out _)).Select(line => line.Values)];
        if (steps.Count == 0)
            throw new InputException($"{path}: holds no step; it must not be changed while a run uses it");
        List<JsonElement> last =
        [
            .. steps.Where(step => step.GetProperty("epoch").GetInt64() == steps[^1].GetProperty("epoch").GetInt64()),
        ];
        var samples = last.Sum(step => step.GetProperty("samples").GetDouble());
        return last.Sum(step => step.GetProperty("loss").GetSingle() * step.GetProperty("samples").GetDouble()) / samples;
    }

    /// <summary>The loss of every step that a file holds, exactly as it was logged.</summary>
    /// <param name="path">A run's metrics.</param>
    public static IReadOnlyDictionary<long, string> LossTexts(string path)
    {
        var losses = new Dictionary<long, string>();
        foreach (var line in ReadLines(path))
        {
            if (line.Values.TryGetProperty("loss", out var loss))
                losses[line.Step] = loss.GetRawText();
        }
        return losses;
    }

    /// <summary>Closes the file; the next line reopens it.</summary>
    public void Dispose()
    {
        _stream?.Dispose();
        _stream = null;
    }

    private static long PositionOf(MetricsLine line) =>
        line.Values.TryGetProperty("loss", out _) ? Positions.After(line.Step) : Positions.AfterEvaluation(line.Step);

    private static IEnumerable<MetricsLine> ReadLines(string path) =>
        File.Exists(path) ? File.ReadLines(path).Select(Parse).OfType<MetricsLine>() : [];

    /// <summary>A line that a crash cut short is skipped.</summary>
    private static MetricsLine? Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var values = document.RootElement.Clone();
            return new MetricsLine(values.GetProperty("step").GetInt64(), text, values);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>One write per line, so that a concurrent reader sees whole lines.</summary>
    private void Append(Action<Utf8JsonWriter> write)
    {
        _stream ??= new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        _stream.Write(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    private sealed record MetricsLine(long Step, string Text, JsonElement Values);
}
