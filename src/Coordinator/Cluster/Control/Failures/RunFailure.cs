namespace Distributed.Coordinator.Cluster.Control.Failures;

/// <summary>
/// What makes a run fail. It is followed up for a moment after the first sign, since a process that dies is noticed in several places, and
/// what explains most is not learnt first.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class RunFailure(TimeProvider time)
{
    private readonly FailureEvidence _evidence = new();
    private string? _finding;
    private long _since;

    /// <summary>Whether the run fails.</summary>
    public bool Exists => _evidence.Exists;

    /// <summary>Why, in one line; null as long as more may become known.</summary>
    public string? Message =>
        !Exists || time.GetElapsedTime(_since) < FailureEvidence.Gathering ? null
        : _finding is null ? _evidence.Message()
        : $"{_evidence.Message()}; {_finding}";

    /// <summary>Adds what has become known; the first evidence fails the run.</summary>
    /// <param name="evidence">What has become known.</param>
    /// <param name="finding">What it adds up to, together with what came before.</param>
    public void Add(Evidence evidence, string? finding = null)
    {
        if (!Exists)
            _since = time.GetTimestamp();
        _evidence.Add(evidence);
        _finding ??= finding;
    }
}
