namespace Distributed.Coordinator.Cluster.Control.Granting;

/// <summary>
/// How many steps are granted beyond the last complete one: as many as take six tenths of a second, so that grants and reports travel
/// many in a message and no worker ever waits for one, while a planned change of membership is still soon.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class GrantPace(TimeProvider time)
{
    /// <summary>Steps ahead of a run that is slow, or has only begun: enough that the next grant arrives before a step ends.</summary>
    public const int Least = 8;

    /// <summary>Steps ahead of the fastest run: a bound on what is queued.</summary>
    public const int Most = 256;

    /// <summary>What the steps ahead should take; more than twice the time that a worker holds its reports back.</summary>
    public static readonly TimeSpan Ahead = TimeSpan.FromMilliseconds(600);

    private long _since = time.GetTimestamp();
    private long _step;
    private int _stepsAhead = Least;
    private TimeSpan _perStep;

    /// <summary>The steps that may be granted now, counted from the last complete one.</summary>
    /// <param name="completed">The last complete step; what it has grown by in the meantime is the pace.</param>
    public int StepsAhead(long completed)
    {
        var elapsed = time.GetElapsedTime(_since);
        if (elapsed < Ahead)
            return _stepsAhead;
        if (completed > _step)
            _perStep = elapsed / (completed - _step);
        _stepsAhead = (int)Math.Clamp((completed - _step) * (Ahead / elapsed), Least, Most);
        (_since, _step) = (time.GetTimestamp(), completed);
        return _stepsAhead;
    }

    /// <summary>How long some steps take, by the pace of the last ones.</summary>
    /// <param name="steps">How many.</param>
    public TimeSpan TimeFor(long steps) => _perStep * steps;
}
