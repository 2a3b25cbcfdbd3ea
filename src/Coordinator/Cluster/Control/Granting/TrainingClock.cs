namespace Distributed.Coordinator.Cluster.Control.Granting;

/// <summary>Measures the time that training takes, without start-up and evaluation.</summary>
/// <param name="time">The clock.</param>
internal sealed class TrainingClock(TimeProvider time)
{
    private long? _started;

    /// <summary>The time measured so far.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>Starts or resumes the measurement.</summary>
    public void Start() => _started ??= time.GetTimestamp();

    /// <summary>Pauses the measurement.</summary>
    public void Stop()
    {
        if (_started is { } started)
            Elapsed += time.GetElapsedTime(started);
        _started = null;
    }
}
