using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>What workers' messages mean for membership.</summary>
/// <param name="handover">Knows which states count that workers bring along.</param>
/// <param name="grants">Knows how long what has been granted will take.</param>
internal sealed class MessageMeaning(Handover handover, GrantControl grants)
{
    /// <summary>How much of granted work a worker that was asked to leave waits for; what takes longer is given up.</summary>
    private static readonly TimeSpan LeavingTime = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Whether a message is of a view that has been ended: it counts no more, since what was granted there is done, or granted again in
    /// another view.
    /// </summary>
    /// <param name="message">The message.</param>
    /// <param name="membership">Knows the views.</param>
    public static bool IsPast(WorkerMessage message, MembershipState membership) =>
        membership.HasTrained
        && ViewGeneration.From(message.Generation) <= membership.Over
        && message is ({ ViewOpened: not null } or { Reports: not null } or { Frozen: not null } or { Failure.Peer.Length: > 0 });

    /// <summary>What a message means for membership; null where it means nothing by itself.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="message">What it says.</param>
    /// <param name="lineage">The lineage of states that count.</param>
    public MembershipEvent? Of(MemberSession session, WorkerMessage message, uint lineage)
    {
        var generation = ViewGeneration.From(message.Generation);
        return message switch
        {
            { Ready: { } ready } => new Arrived(session.Worker, handover.Brings(session, ready, lineage), ready.Lineage, ready.Members),
            { Leave: not null } => new Leaving(session.Worker, IsUrgent: grants.TimeLeft > LeavingTime),
            { ViewOpened: not null } => new Opened(session.Worker, generation),
            { Frozen: { } frozen } => new Stopped(session.Worker, generation, frozen.HoldsState ? (long)frozen.Position : null),
            { ProbeResult: { } result } => JoinProbes.Of(session, result),
            _ => null,
        };
    }
}
