using System.Text.Json;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Dashboard;

/// <summary>What does not change while a run is shown.</summary>
/// <param name="Name">The run's name.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Configuration">Its <c>config.json</c>.</param>
internal sealed record RunFacts(string Name, string Folder, string Configuration);

/// <summary>
/// What a page shows of a run, as events tell it: in bounded memory however long the run is. Events only change a few numbers under a lock;
/// who reads takes what is new to it, at its own pace, so that nothing is queued for anybody.
/// </summary>
/// <param name="facts">What does not change.</param>
/// <param name="time">The clock.</param>
internal sealed class DashboardModel(RunFacts facts, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _opened = time.GetTimestamp();
    private readonly RunStatus _status = new();
    private readonly WorkerTable _workers = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CurveSet _curves = new();
    private readonly TimeLine _timeLine = new();
    private RunPosition _progress = new();
    private Mistakes? _mistakes;
    private long _version;
    private TimeSpan? _started; // when the first step of this process began

    /// <summary>What does not change.</summary>
    public RunFacts Facts => facts;

    /// <summary>When it began to be told events.</summary>
    public DateTimeOffset Opened { get; } = time.GetUtcNow();

    /// <summary>Is complete when nothing more will change.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Rises with every change.</summary>
    public long Version
    {
        get
        {
            lock (_lock)
                return _version;
        }
    }

    /// <summary>Takes an event.</summary>
    public void Apply(RunEvent runEvent)
    {
        lock (_lock)
        {
            _version++;
            _timeLine.Apply(runEvent, time.GetUtcNow(), _progress.Step);
            _workers.Apply(runEvent);
            _status.Take(runEvent);
            Follow(runEvent);
        }
    }

    /// <summary>Puts what an earlier coordinator has left before what has happened since.</summary>
    public void AddHistory(RunHistory history)
    {
        lock (_lock)
        {
            _version++;
            history.Curves.AddAll(_curves);
            _curves = history.Curves;
            _timeLine.AddEarlier(history.TimeLine);
        }
    }

    /// <summary>Shows other mistakes.</summary>
    public void Show(Mistakes mistakes)
    {
        lock (_lock)
        {
            _version++;
            _mistakes = mistakes;
        }
    }

    /// <summary>Nothing more will be told: a run that has neither completed nor been interrupted has failed.</summary>
    public void End()
    {
        lock (_lock)
        {
            _version++;
            if (_progress.State is not (RunState.Completed or RunState.Interrupted))
                _progress = _progress with { State = RunState.Failed, Detail = "The run has failed; standard error says why." };
        }

        _ended.TrySetResult();
    }

    /// <summary>Writes what a reader does not know yet.</summary>
    /// <param name="cursor">What it knows; moved on.</param>
    /// <param name="json">Receives properties of an object.</param>
    public void WriteNews(Cursor cursor, Utf8JsonWriter json)
    {
        lock (_lock)
        {
            ModelJson.Write(json, _progress, Elapsed(), SecondsLeft());
            ModelJson.Write(json, cursor, _curves);
            ModelJson.Write(json, cursor, _workers);
            ModelJson.Write(json, cursor, _timeLine);
            ModelJson.Write(json, cursor, _mistakes);
            cursor.Version = _version;
        }
    }

    private void Follow(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case RunStarted started:
                _started = Now;
                _progress = _progress with { State = RunState.Training, Step = started.FirstStep - 1, TotalSteps = started.TotalSteps };
                break;
            case StepCompleted step:
                _progress = _progress with { State = RunState.Training, Detail = null, Step = step.Step, Epoch = step.Epoch };
                _curves.Add(CurveSet.Loss, step.Step, step.Loss);
                break;
            case Evaluated evaluation:
                _curves.Add(evaluation);
                break;
            case WorkersMeasured measured:
                _curves.Add(CurveSet.Throughput, measured.Step, measured.SamplesPerSecond);
                break;
            case RolledBack back:
                GoBackTo(back.Step);
                break;
            case WentBack back:
                GoBackTo(back.Step);
                break;
            case Waiting waiting:
                _progress = _progress with
                {
                    State = RunState.Waiting,
                    Detail = $"Waiting for {Printable.Of(waiting.For)}: {Printable.Of(waiting.Details)}",
                };
                break;
            case RunInterrupted:
                _progress = _progress with { State = RunState.Interrupted, Detail = "Its last checkpoint is on disk; resume it to go on." };
                break;
            case RunCompleted completed:
                _progress = _progress with { State = RunState.Completed, Detail = completed.Summary.StopReason };
                break;
            default:
                break;
        }
    }

    private void GoBackTo(long step)
    {
        _curves.GoBackTo(step);
        _progress = _progress with { Step = step };
    }

    private TimeSpan Now => time.GetElapsedTime(_opened);

    private double Elapsed() => _started is { } started ? (Now - started).TotalSeconds : 0;

    private double? SecondsLeft() => _progress.State is RunState.Training ? _status.Left?.TotalSeconds : null;
}

/// <summary>What a run is doing.</summary>
internal enum RunState
{
    /// <summary>Workers gather.</summary>
    Starting = 0,

    /// <summary>Steps complete.</summary>
    Training,

    /// <summary>Nothing has moved for some time.</summary>
    Waiting,

    /// <summary>It was told to stop.</summary>
    Interrupted,

    /// <summary>Model and summary are on disk.</summary>
    Completed,

    /// <summary>It could not go on.</summary>
    Failed,
}

/// <summary>How far a run is.</summary>
internal sealed record RunPosition
{
    /// <summary>What it is doing.</summary>
    public RunState State { get; init; }

    /// <summary>More of that for people; null if there is nothing to say.</summary>
    public string? Detail { get; init; }

    /// <summary>Steps completed.</summary>
    public long Step { get; init; }

    /// <summary>The run's last step; 0 while it is not known.</summary>
    public long TotalSteps { get; init; }

    /// <summary>The epoch of the last step.</summary>
    public long Epoch { get; init; }
}

/// <summary>What a reader of a <see cref="DashboardModel"/> knows already.</summary>
internal sealed class Cursor
{
    /// <summary>The model's version when it was read last.</summary>
    public long Version { get; set; } = -1;

    /// <summary>Of each curve: its generation, and how many buckets were known.</summary>
    public Dictionary<string, (int Generation, int Count)> Curves { get; } = [];

    /// <summary>The workers' version.</summary>
    public int Workers { get; set; } = -1;

    /// <summary>The time line's generation, and the number of the next entry.</summary>
    public (int Generation, long Next) TimeLine { get; set; }

    /// <summary>The mistakes that were shown.</summary>
    public Mistakes? Mistakes { get; set; }
}
