using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control.Failures;

/// <summary>What follows from a failure that was reported.</summary>
/// <param name="Happened">What it means for membership; null where it means nothing.</param>
/// <param name="RunFailure">What makes the whole run fail; null where it goes on.</param>
internal readonly record struct FailureVerdict(MembershipEvent? Happened = null, Evidence? RunFailure = null);

/// <summary>Decides what a reported failure is about: the one that reports it, its link to another one, or the run.</summary>
/// <param name="members">The workers.</param>
/// <param name="departures">Ends those that cannot go on.</param>
/// <param name="losses">Remembers complaints, which may explain a loss.</param>
/// <param name="hasServer">Whether the coordinator is a member that workers can complain about.</param>
internal sealed class FailureReports(MemberRegistry members, Departures departures, LossReports losses, bool hasServer)
{
    /// <summary>A worker cannot go on: with its view, with the run, or at all.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="message">Its message, with a failure.</param>
    /// <param name="hasView">Whether there has been a view.</param>
    public FailureVerdict Of(MemberSession session, WorkerMessage message, bool hasView)
    {
        var (failure, evidence) = (message.Failure, Evidence.Of(session, message));
        if (failure.ByTraining || !hasView)
            return new FailureVerdict(RunFailure: evidence);
        if (failure.Peer.Length == 0)
            return new FailureVerdict(departures.Expel(session, evidence, isDeath: true));
        if (members.NumberOf(failure.Peer) is { } peer && (peer != MembershipState.Coordinator || hasServer))
            return Complaint(session.Worker, peer, ViewGeneration.From(message.Generation), evidence);
        return failure.Peer == MemberRegistry.CoordinatorName
            ? new(departures.Expel(session, Evidence.Of(session, failure.Reason, EvidenceWeight.Confessed), isDeath: false))
            : default; // the peer has gone
    }

    /// <summary>The parameter server cannot go on.</summary>
    public FailureVerdict Of(ServerFailed failed)
    {
        var evidence = Evidence.Of(failed.Exception);
        if (failed.Exception is not PeerFailureException peer)
            return new FailureVerdict(RunFailure: evidence);
        return members.NumberOf(peer.Peer) is { } worker
            ? Complaint(MembershipState.Coordinator, worker, failed.Generation, evidence)
            : default;
    }

    private FailureVerdict Complaint(int worker, int peer, ViewGeneration generation, Evidence evidence)
    {
        losses.Add(peer, evidence);
        return new FailureVerdict(new Complained(worker, peer, generation, evidence.Cause));
    }
}
