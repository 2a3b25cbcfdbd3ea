using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Benchmarks.Scaling;

/// <summary>
/// Watches a run in the process that coordinates it. The first seconds do not count, since the runtime still optimizes; then training
/// is measured from completed step to completed step, and the run may end.
/// </summary>
/// <param name="warmUp">How long after the run's start nothing counts.</param>
/// <param name="length">How long is measured at least.</param>
/// <param name="time">The clock.</param>
/// <param name="processorTime">The processor time that the coordinator's process has used so far.</param>
/// <param name="warn">Takes warnings.</param>
internal sealed class TrainingProbe(
    TimeSpan warmUp,
    TimeSpan length,
    TimeProvider time,
    Func<TimeSpan> processorTime,
    Action<RunWarning> warn
) : IRunObserver
{
    /// <summary>Short enough to catch a worker between its last work, sending its state, and its exit.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(10);

    private readonly TaskCompletionSource _measured = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<int> _processes = [];
    private Mark _now;
    private Mark? _first;
    private Mark? _last;
    private string _transport = "";
    private long _startedAt;
    private long? _peakResidentBytes;

    /// <summary>Complete when enough has been measured.</summary>
    internal Task Measured => _measured.Task;

    /// <summary>The measurement; null if the run ended first.</summary>
    internal ScalingSample? Sample => (_first, _last) is ({ } first, { } last) ? Between(first, last) : null;

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case RunWarning warning:
                warn(warning);
                break;
            case WorkerJoined joined:
                _processes.Add(joined.ProcessId);
                break;
            case RunStarted started:
                (_transport, _startedAt) = (started.Transport, time.GetTimestamp());
                break;
            case StepCompleted step:
                Complete(step);
                break;
        }
    }

    /// <summary>
    /// Polls the workers' memory after the measurement, which polling would disturb, until the run ends: the figures are maxima.
    /// </summary>
    /// <param name="run">The run.</param>
    internal async Task WatchMemoryAsync(Task run)
    {
        await Task.WhenAny(run, Measured);
        while (!run.IsCompleted)
        {
            foreach (var process in _processes)
            {
                _peakResidentBytes = ProcessMemory.PeakResident(process) is { } bytes
                    ? Math.Max(bytes, _peakResidentBytes ?? 0)
                    : _peakResidentBytes;
            }

            await Task.WhenAny(run, Task.Delay(LookInterval, time));
        }
    }

    private void Complete(StepCompleted step)
    {
        _now = _now with { Steps = _now.Steps + 1, Samples = _now.Samples + step.Samples };
        if (_last is not null || time.GetElapsedTime(_first?.Timestamp ?? _startedAt) < (_first is null ? warmUp : length))
            return;
        var mark = _now with { Timestamp = time.GetTimestamp(), Processor = processorTime() };
        if (_first is null)
        {
            _first = mark;
            return;
        }

        _last = mark;
        _measured.SetResult();
    }

    private ScalingSample Between(Mark first, Mark last)
    {
        var seconds = time.GetElapsedTime(first.Timestamp, last.Timestamp).TotalSeconds;
        return new ScalingSample(
            _transport,
            (last.Samples - first.Samples) / seconds,
            seconds / (last.Steps - first.Steps),
            (last.Processor - first.Processor).TotalSeconds / seconds,
            _peakResidentBytes
        );
    }

    private readonly record struct Mark(long Timestamp, TimeSpan Processor, long Steps, long Samples);
}
