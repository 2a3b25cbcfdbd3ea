using System.Text.Json;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Dashboard;

/// <summary>
/// What an earlier coordinator has left in the run folder: the curves out of <c>metrics.jsonl</c>, and who came and went out of
/// <c>membership.jsonl</c>. Both are only read; lines that a crash cut short, or that are not of this version, are passed over.
/// </summary>
internal sealed class RunHistory
{
    private static readonly JsonSerializerOptions EventOptions = new(JsonSerializerDefaults.Web)
    {
        AllowOutOfOrderMetadataProperties = true, // the time stands before the kind of event
    };

    private readonly DateTimeOffset _before;
    private long _step; // the last one that an event has named

    private RunHistory(DateTimeOffset before) => _before = before;

    /// <summary>The curves.</summary>
    public CurveSet Curves { get; } = new();

    /// <summary>What happened.</summary>
    public TimeLine TimeLine { get; } = new();

    /// <summary>Reads it.</summary>
    /// <param name="metrics">A run's <c>metrics.jsonl</c>; need not be there.</param>
    /// <param name="membership">A run's <c>membership.jsonl</c>; need not be there.</param>
    /// <param name="before">When the events began that are told anyway.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static RunHistory Read(string metrics, string membership, DateTimeOffset before)
    {
        var history = new RunHistory(before);
        foreach (var text in Lines(metrics))
            Try(text, history.TakeMetrics);
        foreach (var text in Lines(membership))
            Try(text, history.TakeEvent);
        return history;
    }

    private void TakeMetrics(JsonElement line)
    {
        var step = line.GetProperty("step").GetInt64();
        if (line.TryGetProperty(CurveSet.Loss, out _))
        {
            Curves.Add(CurveSet.Loss, step, JudgedFigures.Number(line, CurveSet.Loss));
            return;
        }

        Curves.Add(
            new Evaluated(step, JudgedFigures.Number(line, JudgedFigures.TestLoss), JudgedFigures.TestMetrics(line))
            {
                HeldOut = JudgedFigures.HeldOut(line),
            }
        );
    }

    private void TakeEvent(JsonElement line)
    {
        var time = line.GetProperty("time").GetDateTimeOffset();
        if (time >= _before || line.Deserialize<RunEvent>(EventOptions) is not { } runEvent)
            return;
        _step = runEvent switch
        {
            RunStarted started => started.FirstStep - 1,
            WorkerLost lost => lost.Step,
            TrainingResumed resumed => resumed.Step,
            _ => _step,
        };
        TimeLine.Apply(runEvent, time, _step);
    }

    private static IEnumerable<string> Lines(string path)
    {
        if (!File.Exists(path))
            yield break;
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        while (reader.ReadLine() is { } text)
            yield return text;
    }

    private static void Try(string text, Action<JsonElement> take)
    {
        try
        {
            take(JsonElement.Parse(text));
        }
        catch (Exception exception)
            when (exception
                    is JsonException
                        or KeyNotFoundException
                        or InvalidOperationException
                        or FormatException
                        or NotSupportedException
            )
        {
            // Cut short by a crash, or of another version.
        }
    }
}
