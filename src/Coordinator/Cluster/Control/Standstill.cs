using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>Measures how long training stands still when a view has been ended, until the first step of the next one is complete.</summary>
/// <param name="observer">Is told.</param>
/// <param name="time">The clock.</param>
internal sealed class Standstill(IRunObserver observer, TimeProvider time)
{
    private long? _since;

    /// <summary>Training stands still from now on.</summary>
    public void Begin() => _since ??= time.GetTimestamp();

    /// <summary>A step is complete.</summary>
    /// <param name="step">The step.</param>
    /// <param name="workers">Workers that trained it.</param>
    public void End(long step, int workers)
    {
        if (_since is { } since)
            observer.Report(new TrainingResumed(step, time.GetElapsedTime(since).TotalSeconds, workers));
        _since = null;
    }
}
