using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>Has workers find out whether they reach each other.</summary>
internal static class JoinProbes
{
    /// <summary>Asks a newcomer and its peers. Whoever takes no message any more is noticed by other means.</summary>
    /// <param name="members">The workers.</param>
    /// <param name="probe">Who is to be asked.</param>
    public static void Begin(MemberRegistry members, ProbeWorker probe)
    {
        foreach (var peer in probe.Peers)
        {
            Ask(members, probe.Worker, peer);
            Ask(members, peer, probe.Worker);
        }
    }

    /// <summary>What a worker has found.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="result">What it says.</param>
    public static Probed Of(MemberSession session, ProbeResult result) =>
        new(session.Worker, result.Worker, result.Cause.Length == 0 ? null : result.Cause);

    /// <summary>Why a newcomer is turned away, with the remedy.</summary>
    /// <param name="members">The workers.</param>
    /// <param name="turned">Who does not reach whom.</param>
    public static string Reason(MemberRegistry members, TurnAway turned)
    {
        var (from, to) = (members.Find(turned.Way.From), members.Find(turned.Way.To));
        if (from is null || to is null)
            return turned.Reason;
        var address = to.AddressFor(from);
        return from.Worker == turned.Worker
            ? $"it does not reach {to.FullName} at {address} ({turned.Reason}); open that port to it in firewalls, or start that worker with an --advertise that it can reach"
            : $"{from.FullName} does not reach it at {address} ({turned.Reason}); give it --listen and --advertise with an address that the others reach, and open its port in firewalls";
    }

    private static void Ask(MemberRegistry members, int worker, int peer)
    {
        if (members.Find(worker) is not { } asked || members.Find(peer) is not { } target)
            return;
        var probe = new Probe { Worker = peer, Address = target.AddressFor(asked) };
        members.Send(worker, new CoordinatorMessage { Probe = probe });
    }
}
