namespace Distributed.Coordinator.Cluster.Control.Failures;

/// <summary>
/// The time that this process has lived through: a clock for judging others. It moves with the ticks of the control loop, and a longer gap
/// between two of them means that this process was stopped itself (Ctrl+Z, a suspended job, a closed lid), during which it could hear
/// nobody.
/// </summary>
/// <param name="time">The system's clock.</param>
internal sealed class LivedTime(TimeProvider time) : TimeProvider
{
    /// <summary>The most that one gap counts: several ticks, as the system may be late with them under load.</summary>
    public static readonly TimeSpan MostOfGap = TimeSpan.FromSeconds(1);

    private long _last = time.GetTimestamp();
    private long _lived;

    /// <inheritdoc />
    public override long TimestampFrequency => time.TimestampFrequency;

    /// <inheritdoc />
    public override long GetTimestamp() => _lived;

    /// <summary>A tick has come.</summary>
    /// <param name="at">When it was sent, as a timestamp of the system's clock.</param>
    public void Tick(long at)
    {
        var most = (long)(MostOfGap.TotalSeconds * TimestampFrequency);
        _lived += Math.Clamp(at - _last, 0, most);
        _last = Math.Max(_last, at);
    }
}
