using System.Text.Json;
using Distributed.Collectives;

namespace Distributed.Coordinator.Runs;

/// <summary>
/// <c>metrics.jsonl</c>: a line for every step, and one for every evaluation. Floats are written so that reading them gives the same bits.
/// </summary>
/// <param name="path">The file; created by the first line.</param>
internal sealed class MetricsLog(string path) : IDisposable
{
    private readonly LineFile _lines = new(path);
    private readonly Lock _lock = new();
    private List<BestEvaluation>? _bests; // each better than all before

    /// <summary>The file.</summary>
    public string Path => path;

    /// <summary>Why lines wait in memory; null if none does.</summary>
    public Exception? Failure => _lines.Failure;

    /// <summary>How many lines were lost because too many were waiting.</summary>
    public long Lost => _lines.Lost;

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
    public void Append(Evaluated evaluation)
    {
        lock (_lock)
            Note(Bests, evaluation);
        Append(json =>
        {
            json.WriteNumber("step", evaluation.Step);
            json.WriteFinite(JudgedFigures.TestLoss, evaluation.TestLoss);
            foreach (var (name, figure) in evaluation.Figures)
                json.WriteFinite(name, figure);
        });
    }

    /// <summary>Waits until all lines are on disk.</summary>
    /// <exception cref="IOException">They cannot be written.</exception>
    public void FlushToDisk() => _lines.FlushToDisk();

    /// <summary>
    /// The evaluation with the lowest loss, over the held-out part if there is one, else over the test set; of two the earlier; null if
    /// there is none.
    /// </summary>
    /// <param name="step">Later ones do not count: a run that goes on after this step knows nothing of them.</param>
    public BestEvaluation? BestUpTo(long step)
    {
        lock (_lock)
            return Bests.LastOrDefault(best => best.Step <= step);
    }

    /// <summary>
    /// Drops the lines after a position, and all from one on that a crash cut short. The file is cut where it lies, which takes no room.
    /// </summary>
    /// <param name="position">What stays, see <see cref="Positions"/>.</param>
    public void Truncate(long position)
    {
        Dispose();
        LineFile.Cut(path, text => Parse(text) is { } line && PositionOf(line) <= position);
        lock (_lock)
            _bests = ReadBests();
    }

    /// <summary>How far the log goes, see <see cref="Positions"/>; 0 if it holds nothing.</summary>
    public long Position()
    {
        if (!Exists)
            return 0;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var reached = 0L;
        LineFile.LengthWhile(stream, text =>
        {
            if (Parse(text) is not { } line)
                return false;
            reached = PositionOf(line);
            return true;
        });
        return reached;
    }

    /// <summary>All evaluations that are logged, in order.</summary>
    public IReadOnlyList<Evaluated> Evaluations() => Read().Evaluations;

    /// <summary>All evaluations that are logged, in order, and the last step; 0 if there is none.</summary>
    public (IReadOnlyList<Evaluated> Evaluations, long LastStep) Read()
    {
        List<MetricsLine> lines = [.. ReadLines(path)];
        return ([.. lines.Select(EvaluationOf).OfType<Evaluated>()], lines.Select(line => line.Step).DefaultIfEmpty().Max());
    }

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
    public void Dispose() => _lines.Dispose();

    private List<BestEvaluation> Bests => _bests ??= ReadBests();

    private List<BestEvaluation> ReadBests()
    {
        var bests = new List<BestEvaluation>();
        foreach (var evaluation in Evaluations())
            Note(bests, evaluation);
        return bests;
    }

    // What is not finite is written as null, and is never the best.
    private static void Note(List<BestEvaluation> bests, Evaluated evaluation)
    {
        var best = new BestEvaluation(evaluation.Step, evaluation.TestLoss, evaluation.HeldOut?.Loss);
        if (double.IsFinite(best.Loss) && (bests.Count == 0 || best.Loss < bests[^1].Loss))
            bests.Add(best);
    }

    private static Evaluated? EvaluationOf(MetricsLine line) =>
        line.Values.TryGetProperty(JudgedFigures.TestLoss, out _)
            ? new Evaluated(line.Step, JudgedFigures.Number(line.Values, JudgedFigures.TestLoss), JudgedFigures.TestMetrics(line.Values))
            {
                HeldOut = JudgedFigures.HeldOut(line.Values),
            }
            : null;

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

    private void Append(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        _lines.Append(buffer.ToArray());
    }

    private sealed record MetricsLine(long Step, string Text, JsonElement Values);
}

/// <summary>The best evaluation so far.</summary>
/// <param name="Step">The step after which the test set was evaluated.</param>
/// <param name="TestLoss">The mean loss per sample of the test set.</param>
/// <param name="HoldoutLoss">The mean loss per sample of the held-out part; null if there is none.</param>
internal sealed record BestEvaluation(long Step, double TestLoss, double? HoldoutLoss)
{
    /// <summary>What it is judged by.</summary>
    public double Loss => HoldoutLoss ?? TestLoss;
}
