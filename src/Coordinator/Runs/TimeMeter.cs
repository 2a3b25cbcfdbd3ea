namespace Distributed.Coordinator.Runs;

/// <summary>Adds up what members of a run say of their time, and tells it once a second.</summary>
/// <param name="time">The clock.</param>
internal sealed class TimeMeter(TimeProvider time)
{
    /// <summary>From one event to the next.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Dictionary<int, Times> _times = [];
    private long? _since; // null before the first step

    /// <summary>A member has trained a step.</summary>
    /// <param name="member">Its number.</param>
    /// <param name="samples">Its samples of it.</param>
    /// <param name="compute">How long forward and backward passes took.</param>
    /// <param name="exchange">How long it worked after that, until its weights were those after the step.</param>
    public void Add(int member, long samples, TimeSpan compute, TimeSpan exchange)
    {
        if (_since is null)
        {
            _since = time.GetTimestamp(); // at the first step's end: most of it is waiting for workers, and compilation
            return;
        }

        var before = _times.GetValueOrDefault(member);
        _times[member] = new Times(before.Samples + samples, before.Compute + compute, before.Exchange + exchange);
    }

    /// <summary>What is to be told of the time since the last event.</summary>
    /// <param name="step">The last step.</param>
    /// <param name="members">The members as they are now.</param>
    /// <param name="isLast">Whether training has ended, so that it is told at once.</param>
    /// <returns>Null where it is too early, or no step is complete.</returns>
    public WorkersMeasured? Next(long step, IEnumerable<MeteredMember> members, bool isLast = false)
    {
        var elapsed = time.GetElapsedTime(_since ?? time.GetTimestamp());
        if (_times.Count == 0 || elapsed <= TimeSpan.Zero || (elapsed < Interval && !isLast))
            return null;
        var measured = new WorkersMeasured(
            step,
            elapsed.TotalSeconds,
            _times.Values.Sum(times => times.Samples) / elapsed.TotalSeconds,
            [.. members.Select(member => Of(member, elapsed))]
        );
        _times.Clear();
        _since = time.GetTimestamp();
        return measured;
    }

    // Steps are reported several at a time, so that some of the work may have been done before the interval began.
    private WorkerTimes Of(MeteredMember member, TimeSpan elapsed)
    {
        var times = _times.GetValueOrDefault(member.Number);
        var whole = Math.Max(elapsed.TotalSeconds, (times.Compute + times.Exchange).TotalSeconds);
        var (compute, exchange) = (times.Compute.TotalSeconds / whole, times.Exchange.TotalSeconds / whole);
        return new WorkerTimes(
            member.Name,
            member.Microbatches,
            times.Samples / elapsed.TotalSeconds,
            compute,
            exchange,
            Math.Max(0, 1 - compute - exchange)
        );
    }

    private readonly record struct Times(long Samples, TimeSpan Compute, TimeSpan Exchange);
}

/// <summary>A member of a run whose time is measured.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="Microbatches">Of a whole batch: how many it computes.</param>
internal readonly record struct MeteredMember(int Number, string Name, int Microbatches);
