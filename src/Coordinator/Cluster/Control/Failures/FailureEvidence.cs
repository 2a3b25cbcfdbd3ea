using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control.Failures;

/// <summary>One thing that is known about a failure.</summary>
/// <param name="Worker">The worker that it is about.</param>
/// <param name="Step">The step.</param>
/// <param name="Phase">The phase.</param>
/// <param name="Cause">The likely cause.</param>
/// <param name="Weight">How much it explains.</param>
internal sealed record Evidence(string Worker, long Step, Phase Phase, string Cause, EvidenceWeight Weight)
{
    /// <summary>Evidence about a worker, placed at the step and phase that it last reported.</summary>
    public static Evidence Of(MemberSession session, string cause, EvidenceWeight weight) =>
        new(session.FullName, session.Step, session.Phase, cause, weight);

    /// <summary>How a local worker's process has ended.</summary>
    /// <param name="exited">The process.</param>
    /// <param name="session">Its session; null if it has never joined.</param>
    public static Evidence Of(LocalWorkerExited exited, MemberSession? session) =>
        session is not null
            ? Of(session, exited.Cause, EvidenceWeight.Exited)
            : new($"local worker {exited.LocalNumber} (process {exited.ProcessId})", 0, Phase.Idle, exited.Cause, EvidenceWeight.Exited);

    /// <summary>What a worker says of a failure.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="message">The message, with a failure.</param>
    public static Evidence Of(MemberSession session, WorkerMessage message)
    {
        var (failure, step) = (message.Failure, unchecked((long)message.Step));
        if (failure.ByTraining)
            return new(session.FullName, step, failure.Phase, failure.Reason, EvidenceWeight.Diverged);
        return failure.Peer.Length > 0
            ? new(failure.Peer, step, failure.Phase, failure.Reason, EvidenceWeight.Complaint)
            : new(session.FullName, step, failure.Phase, failure.Reason, EvidenceWeight.Confessed);
    }

    /// <summary>What the parameter server has met with.</summary>
    public static Evidence Of(Exception exception) =>
        exception is PeerFailureException peer
            ? new(peer.Peer, peer.Step, peer.Phase, peer.Cause, EvidenceWeight.Complaint)
            : new("the coordinator", 0, Phase.ReduceScatter, exception.Message, EvidenceWeight.Confessed);
}

/// <summary>How much a piece of evidence explains: what happened to a worker is worth more than what others noticed of it.</summary>
internal enum EvidenceWeight
{
    /// <summary>A worker could not exchange with another.</summary>
    Complaint = 0,

    /// <summary>A worker's session ended.</summary>
    Lost,

    /// <summary>A worker's process ended, and how.</summary>
    Exited,

    /// <summary>A worker said why it cannot go on.</summary>
    Confessed,

    /// <summary>The training itself has diverged.</summary>
    Diverged,
}

/// <summary>Gathers evidence about a failure for a moment and sums it up in one line.</summary>
internal sealed class FailureEvidence
{
    /// <summary>How long the first sign is followed up: a process that dies is noticed in several places, at different times.</summary>
    public static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(500);

    private readonly List<Evidence> _all = [];

    /// <summary>Whether there is a failure.</summary>
    public bool Exists => _all.Count > 0;

    /// <summary>What explains most.</summary>
    public Evidence Best => _all.MaxBy(evidence => evidence.Weight)!;

    /// <summary>Adds what has become known.</summary>
    public void Add(Evidence evidence) => _all.Add(evidence);

    /// <summary>Names worker, step, phase and the likely cause.</summary>
    public string Message()
    {
        var best = Best;
        if (best.Weight == EvidenceWeight.Diverged)
            return $"{best.Worker}: {best.Cause}";
        // The peers that waited for it know best where it was needed.
        var complaint = _all.FirstOrDefault(evidence =>
            evidence.Weight == EvidenceWeight.Complaint && best.Worker.StartsWith(evidence.Worker + " ", StringComparison.Ordinal)
        );
        var (step, phase) = complaint is { Step: > 0 } ? (complaint.Step, complaint.Phase) : (best.Step, best.Phase);
        return $"{best.Worker} failed at step {step} in {WireErrors.Name(phase)}: {best.Cause}";
    }
}
