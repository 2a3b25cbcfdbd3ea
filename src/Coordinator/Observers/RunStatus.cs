using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>What there is to show of a run at a moment: a function of the events so far. One thread at a time may use it.</summary>
internal sealed class RunStatus
{
    /// <summary>Measurements from which the time that is left is foretold: long enough that it stands still, short enough to follow a change.</summary>
    private const int Remembered = 10;

    private readonly List<WorkerStatus> _workers = [];
    private readonly Queue<(long Steps, double Seconds)> _pace = new();
    private long _measured; // the step of the last measurement

    /// <summary>The run's beginning; null before.</summary>
    public RunStarted? Started { get; private set; }

    /// <summary>The last step; null before the first.</summary>
    public StepCompleted? Step { get; private set; }

    /// <summary>The last evaluation; null before the first.</summary>
    public Evaluated? Evaluation { get; private set; }

    /// <summary>Samples a second, of all workers; null before the first measurement.</summary>
    public double? SamplesPerSecond { get; private set; }

    /// <summary>The workers that are there, in the order in which they came.</summary>
    public IReadOnlyList<WorkerStatus> Workers => _workers;

    /// <summary>The part of the steps that is done, from 0 to 1.</summary>
    public double Done => Step is { } step && Started is { TotalSteps: > 0 } started ? (double)step.Step / started.TotalSteps : 0;

    /// <summary>How long the steps that are left will take, evaluations and pauses like those of the last seconds included; null where nothing is known.</summary>
    public TimeSpan? Left
    {
        get
        {
            var (steps, seconds) = (_pace.Sum(part => part.Steps), _pace.Sum(part => part.Seconds));
            return steps == 0 || Started is null ? null : TimeSpan.FromSeconds((Started.TotalSteps - _measured) * seconds / steps);
        }
    }

    /// <summary>Takes an event.</summary>
    public void Take(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case RunStarted started:
                (Started, _measured) = (started, started.FirstStep - 1);
                break;
            case StepCompleted step:
                Step = step;
                break;
            case Evaluated evaluation:
                Evaluation = evaluation;
                break;
            case WorkerJoined joined:
                _workers.Add(new WorkerStatus(joined.Worker));
                break;
            case WorkerLost { Worker: var worker }:
                _workers.RemoveAll(status => status.Worker == worker);
                break;
            case WorkerLeft { Worker: var worker }:
                _workers.RemoveAll(status => status.Worker == worker);
                break;
            case Straggling slow:
                Change(slow.Worker, status => status with { Slowness = slow.Slowness });
                break;
            case RolledBack back:
                _pace.Clear();
                _measured = back.Step;
                break;
            case WorkersMeasured measured:
                Take(measured);
                break;
        }
    }

    private void Take(WorkersMeasured measured)
    {
        SamplesPerSecond = measured.SamplesPerSecond;
        _pace.Enqueue((Math.Max(0, measured.Step - _measured), measured.Seconds));
        _measured = measured.Step;
        if (_pace.Count > Remembered)
            _pace.Dequeue();
        foreach (var times in measured.Workers)
        {
            if (!Change(times.Worker, status => status with { Times = times }))
                _workers.Add(new WorkerStatus(times.Worker) { Times = times }); // the process itself
        }
    }

    private bool Change(string worker, Func<WorkerStatus, WorkerStatus> change)
    {
        var place = _workers.FindIndex(status => status.Worker == worker);
        if (place >= 0)
            _workers[place] = change(_workers[place]);
        return place >= 0;
    }
}

/// <summary>What there is to show of a worker.</summary>
/// <param name="Worker">Its name.</param>
internal sealed record WorkerStatus(string Worker)
{
    /// <summary>Where its time went in the last second; null before it was measured.</summary>
    public WorkerTimes? Times { get; init; }

    /// <summary>How many times as long it takes as the others, where that was told.</summary>
    public double? Slowness { get; init; }

    /// <summary>Its state in a word or two.</summary>
    public string State =>
        (Times, Slowness) switch
        {
            (null, _) => "ready",
            (_, { } slowness) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"slow, {slowness:0.0}x"),
            _ => "training",
        };
}
