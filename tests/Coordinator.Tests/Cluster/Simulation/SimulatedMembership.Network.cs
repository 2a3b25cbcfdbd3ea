using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Membership;

namespace Distributed.Coordinator.Tests.Cluster.Simulation;

/// <content>The network and the clock: what is sent arrives in order from each sender, and time passes.</content>
internal sealed partial class SimulatedMembership
{
    /// <summary>The members that one has links to: all others, or the parameter server and all workers.</summary>
    public IEnumerable<int> PeersOf(int member, SimulatedView view) =>
        view.Members.Where(peer =>
            peer != member
            && (!_rules.CoordinatorHoldsState || (peer == MembershipState.Coordinator) != (member == MembershipState.Coordinator))
        );

    /// <summary>Whether a member has died or left.</summary>
    public bool IsGone(int member) => !_members[member].IsAlive;

    /// <summary>Whether the coordinator does not listen to a member any more.</summary>
    public bool IsCutOff(int member) => !_sessions.Contains(member);

    /// <summary>The step whose state a source of states holds; null if it cannot be reached.</summary>
    public long? StepHeldBy(int source)
    {
        if (source == MembershipState.Coordinator && !_rules.CoordinatorHoldsState)
            return _served;
        return IsGone(source) ? null : Positions.StepAt(_members[source].Position ?? throw Broken("a source holds no state"));
    }

    /// <summary>Whether a worker reaches another one that is not a member yet.</summary>
    public bool Reaches(int member, int peer) => !IsGone(peer) && !_walled.Contains(member) && !_walled.Contains(peer);

    private void Wait(TimeSpan time)
    {
        _now += time;
        if (_freeze is not null && _members.TryGetValue(MembershipState.Coordinator, out var server))
            Pump(server); // the coordinator itself does not hang
        if (_isOver)
            return;
        Apply(new TimePassed());
        Advance();
        Release();
    }

    private void PumpAll(int first, int hanging = int.MaxValue, int unheard = int.MaxValue)
    {
        var members = _members.Values.ToList();
        for (var i = 0; i < members.Count; i++)
        {
            var index = (first + i) % members.Count;
            Pump(members[index], works: index != hanging, isHeard: index != unheard);
        }
    }

    private void Pump(SimulatedMember member, bool works = true, bool isHeard = true)
    {
        while (member.Receive()) { }
        while (works && member.Act(isLate: false)) { }
        while (isHeard && Hear(member)) { }
    }

    private bool Hear(SimulatedMember member)
    {
        if (!member.Outgoing.TryDequeue(out var told))
            return false;
        _past.Add((member.Number, told));
        Handle(member.Number, told);
        return true;
    }

    private void Send(int member, Order order)
    {
        if (_sessions.Contains(member))
            _members[member].Incoming.Enqueue(order);
    }
}
