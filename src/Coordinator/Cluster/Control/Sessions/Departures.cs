using Distributed.Coordinator.Cluster.Control.Failures;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Membership;

namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>Ends what is left of a worker that is lost or has to go, and returns what that means for membership.</summary>
/// <param name="members">The workers.</param>
/// <param name="locals">The processes of those that the coordinator has started.</param>
/// <param name="losses">Tells of those that are lost.</param>
/// <param name="progress">Knows how far the run has come.</param>
/// <param name="view">Knows what each of them had to do.</param>
/// <param name="grants">Knows how far they may have come.</param>
internal sealed class Departures(
    MemberRegistry members,
    LocalWorkerControl locals,
    LossReports losses,
    RunProgress progress,
    ViewControl view,
    GrantControl grants
)
{
    /// <summary>A worker's session has ended.</summary>
    /// <param name="session">The session.</param>
    /// <param name="cause">The likely cause.</param>
    /// <returns>Null if that was known, or to be expected.</returns>
    public Lost? Gone(MemberSession session, string cause) =>
        members.Remove(session) ? Lose(session, Evidence.Of(session, cause, EvidenceWeight.Lost)) : null;

    /// <summary>A worker's process has ended, which says more than the end of its session.</summary>
    /// <param name="session">Its session, which may have ended before.</param>
    /// <param name="evidence">How the process ended.</param>
    /// <returns>Null if the worker was known to be lost, or has been let go.</returns>
    public Lost? Exited(MemberSession session, Evidence evidence)
    {
        if (members.Remove(session))
            return Lose(session, evidence);
        if (!session.IsExpelled)
            losses.Add(session.Worker, evidence);
        return null;
    }

    /// <summary>A worker has to go because of what is known of it; it may join again.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="evidence">What is known.</param>
    /// <param name="isDeath">Whether it broke down, rather than having been cut off.</param>
    public Lost Expel(MemberSession session, Evidence evidence, bool isDeath)
    {
        members.Expel(session, evidence.Cause, mayReturn: true);
        End(session);
        losses.Lost(session, evidence);
        return Loss(session, evidence, isDeath);
    }

    /// <summary>A worker has to go because membership says so.</summary>
    public void Expel(MemberSession session, ExpelWorker expel)
    {
        members.Expel(session, expel.Reason, expel.MayReturn);
        End(session);
        losses.Lost(session, Evidence.Of(session, expel.Reason, EvidenceWeight.Lost));
    }

    /// <summary>A worker that has not been a member is turned away, and may try again.</summary>
    public void TurnAway(MemberSession session, string reason)
    {
        members.TurnAway(session, reason);
        End(session);
    }

    private Lost Lose(MemberSession session, Evidence evidence)
    {
        if (session.HasBeenReady)
            losses.Lost(session, evidence);
        return Loss(session, evidence, isDeath: true);
    }

    private Lost Loss(MemberSession session, Evidence evidence, bool isDeath) =>
        new(session.Worker, evidence.Cause, isDeath, progress.Position, view.PartOf(session.Worker), grants.Position);

    private void End(MemberSession session)
    {
        members.Remove(session);
        locals.Kill(session);
    }
}
