using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Cluster.Control.Failures;

/// <summary>Finds the workers that have to go though their sessions are open: those that are silent, and those that hang.</summary>
/// <param name="members">The workers.</param>
/// <param name="cluster">How long either may last.</param>
/// <param name="observer">Is told what the run waits for.</param>
/// <param name="time">The time that this process has lived through.</param>
internal sealed class LivenessControl(MemberRegistry members, ClusterOptions cluster, IRunObserver observer, LivedTime time)
{
    private readonly WaitControl _waits = new(observer);

    /// <summary>The workers that have been silent for too long.</summary>
    public IReadOnlyList<(MemberSession Session, Evidence Evidence)> Silent()
    {
        var bound = TimeSpan.FromSeconds(cluster.SilenceTimeout);
        var cause = $"silent for {bound.TotalSeconds:0.#} seconds (stopped, overloaded or cut off)";
        return [.. members.Silent(bound).Select(session => (session, Evidence.Of(session, cause, EvidenceWeight.Lost)))];
    }

    /// <summary>The workers that send heartbeats, and do nothing of what they owe.</summary>
    /// <param name="membership">Who takes part.</param>
    /// <param name="rules">What membership depends on.</param>
    /// <param name="oldest">The oldest work that is not complete, or null.</param>
    /// <param name="snapshot">The oldest snapshot that has not arrived, or null.</param>
    public IReadOnlyList<(MemberSession Session, Evidence Evidence)> Hanging(
        MembershipState membership,
        MembershipRules rules,
        OpenWork? oldest,
        OpenSnapshot? snapshot
    )
    {
        var situation = new RunSituation(
            membership,
            rules,
            members.Sessions.ToDictionary(session => session.Worker, session => MemberActivity.Of(session, time)),
            oldest,
            snapshot,
            cluster.Listen,
            cluster.HangTimeout > 0 ? TimeSpan.FromSeconds(cluster.HangTimeout) : null
        );
        return
        [
            .. _waits.Check(situation, time.GetElapsedTime(0)).Select(hanging => (members.Get(hanging.Worker), hanging.Cause)).Select(Of),
        ];
    }

    private static (MemberSession, Evidence) Of((MemberSession Session, string Cause) found) =>
        (found.Session, Evidence.Of(found.Session, found.Cause, EvidenceWeight.Lost));
}
