namespace Distributed.Protocol;

/// <summary>When a wait is worth a line: after ten seconds, and then each time that it has lasted twice as long.</summary>
internal sealed class WaitReminder
{
    /// <summary>Longer than anything takes that needs no explanation.</summary>
    public static readonly TimeSpan First = TimeSpan.FromSeconds(10);

    private TimeSpan _next = First;

    /// <summary>Whether to tell of it now; each interval is told once.</summary>
    /// <param name="waited">How long it has lasted; less than <see cref="First"/> begins another wait.</param>
    public bool IsDue(TimeSpan waited)
    {
        if (waited < First)
            _next = First;
        if (waited < _next)
            return false;
        while (_next <= waited)
            _next *= 2;
        return true;
    }
}
