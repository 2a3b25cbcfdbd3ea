using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers.Meters;

/// <summary>
/// Keeps the figures of a run where .NET's tools look for them: <c>dotnet-counters</c>, OpenTelemetry, Prometheus. Counters count since this
/// process began; gauges have the last value. Setting them takes no lock and calls nobody: they are read when somebody asks.
/// </summary>
internal sealed class MeterObserver : IRunObserver, IAsyncDisposable
{
    /// <summary>The name of the meter, and of the source of activities.</summary>
    public const string Name = "Distributed";

    private static readonly ActivitySource Activities = new(Name);

    private readonly Meter _meter = new(Name);
    private readonly ConcurrentDictionary<string, double> _judged = new(); // by figure
    private readonly ActivityContext _parent = Activity.Current?.Context ?? default;
    private WorkersMeasured? _measured;
    private long _lastStep;
    private long _totalSteps;
    private long _steps;
    private long _samples;
    private long _lost;
    private long _joined;
    private long _checkpoints;
    private double _standstill; // seconds
    private double _loss = double.NaN;
    private int _workers;
    private Activity? _run;

    /// <summary>Makes the instruments.</summary>
    public MeterObserver()
    {
        Count("training.steps", "{step}", "Steps trained.", () => Volatile.Read(ref _steps));
        Count("training.samples", "{sample}", "Samples trained on.", () => Volatile.Read(ref _samples));
        Count("training.workers.lost", "{worker}", "Workers that were lost.", () => Volatile.Read(ref _lost));
        Count("training.workers.joined", "{worker}", "Workers that have joined.", () => Volatile.Read(ref _joined));
        Count("training.checkpoints", "{checkpoint}", "Checkpoints written.", () => Volatile.Read(ref _checkpoints));
        Count("training.standstill", "s", "How long training has stood still after losses and other changes of members.", () =>
            Volatile.Read(ref _standstill)
        );
        _meter.CreateObservableGauge("training.step", () => Volatile.Read(ref _lastStep), "{step}", "The last step.");
        _meter.CreateObservableGauge("training.steps.planned", () => Volatile.Read(ref _totalSteps), "{step}", "The run's last step.");
        _meter.CreateObservableGauge("training.loss", () => Volatile.Read(ref _loss), description: "The mean loss of the last step.");
        _meter.CreateObservableGauge("training.workers", () => Volatile.Read(ref _workers), "{worker}", "Workers that are there.");
        _meter.CreateObservableGauge("training.evaluation", Judged, description: "Figures of the last evaluation, by name.");
        _meter.CreateObservableGauge("training.speed", Speeds, "{sample}/s", "Samples a second, by worker.");
        _meter.CreateObservableGauge(
            "training.worker.time",
            Times,
            "1",
            "The part of a worker's time that goes into computing, exchanging and waiting."
        );
    }

    /// <inheritdoc/>
    string IRunObserver.Name => "the meters";

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case RunStarted started:
                Volatile.Write(ref _totalSteps, started.TotalSteps);
                Volatile.Write(ref _lastStep, started.FirstStep - 1);
                _run = Activities.StartActivity("train", ActivityKind.Internal, _parent);
                _run?.SetTag("training.steps.planned", started.TotalSteps);
                break;
            case StepCompleted step:
                Interlocked.Increment(ref _steps);
                Interlocked.Add(ref _samples, step.Samples);
                Volatile.Write(ref _lastStep, step.Step);
                Volatile.Write(ref _loss, step.Loss);
                break;
            case Evaluated evaluation:
                _judged[JudgedFigures.TestLoss] = evaluation.TestLoss;
                foreach (var (name, figure) in evaluation.Figures)
                    _judged[name] = figure;
                break;
            case WorkersMeasured measured:
                Volatile.Write(ref _measured, measured);
                break;
            case CheckpointSaved:
                Interlocked.Increment(ref _checkpoints);
                break;
            default:
                ReportMembers(runEvent);
                break;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _run?.Dispose();
        _meter.Dispose();
        return ValueTask.CompletedTask;
    }

    private void ReportMembers(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case WorkerJoined joined:
                Interlocked.Increment(ref _joined);
                Volatile.Write(ref _workers, joined.Workers);
                break;
            case WorkerLeft left:
                Volatile.Write(ref _workers, left.Workers);
                break;
            case WorkerLost lost:
                Interlocked.Increment(ref _lost);
                Volatile.Write(ref _workers, lost.Workers);
                _run?.AddEvent(
                    new ActivityEvent(
                        "worker lost",
                        tags: new()
                        {
                            ["worker"] = lost.Worker,
                            ["reason"] = lost.Reason,
                            ["step"] = lost.Step,
                        }
                    )
                );
                break;
            case TrainingResumed resumed:
                Volatile.Write(ref _standstill, _standstill + resumed.Seconds); // one event at a time
                var began = DateTimeOffset.UtcNow.AddSeconds(-resumed.Seconds);
                using (
                    var change = Activities.StartActivity(
                        "change of members",
                        ActivityKind.Internal,
                        _run?.Context ?? _parent,
                        startTime: began
                    )
                )
                {
                    change?.SetTag("training.step", resumed.Step);
                }

                break;
        }
    }

    // Read when somebody asks, so that what happens rarely is never forgotten by those who drop what does not change.
    private void Count<T>(string name, string unit, string description, Func<T> read)
        where T : struct => _meter.CreateObservableCounter(name, read, unit, description);

    private IEnumerable<Measurement<double>> Judged() =>
        _judged.Select(figure => new Measurement<double>(figure.Value, Tag("figure", figure.Key)));

    private IEnumerable<Measurement<double>> Speeds() =>
        Volatile
            .Read(ref _measured)
            ?.Workers.Select(worker => new Measurement<double>(worker.SamplesPerSecond, Tag("worker", worker.Worker)))
        ?? [];

    private IEnumerable<Measurement<double>> Times()
    {
        foreach (var worker in Volatile.Read(ref _measured)?.Workers ?? [])
        {
            var name = Tag("worker", worker.Worker);
            yield return new Measurement<double>(worker.Compute, name, Tag("part", "compute"));
            yield return new Measurement<double>(worker.Exchange, name, Tag("part", "exchange"));
            yield return new Measurement<double>(worker.Waiting, name, Tag("part", "waiting"));
        }
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
