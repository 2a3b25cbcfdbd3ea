using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Tests.Cluster.Simulation;

/// <summary>A member of a simulated cluster: a worker, or the coordinator as the parameter server.</summary>
internal sealed class SimulatedMember(int number, SimulatedMembership cluster)
{
    private readonly Queue<Order> _work = new();
    private SimulatedView? _view; // that it is in, or opens
    private ViewGeneration _over;
    private bool _isBroken;

    public int Number => number;

    public bool IsWorker => number != MembershipState.Coordinator;

    /// <summary>From the coordinator.</summary>
    public Queue<Order> Incoming { get; } = new();

    /// <summary>To the coordinator.</summary>
    public Queue<MembershipEvent> Outgoing { get; } = new();

    /// <summary>What it has completed; null as long as it holds no state.</summary>
    public long? Position { get; set; }

    /// <summary>The lineage of its state.</summary>
    public uint Lineage { get; set; }

    /// <summary>How many members the view has or had that it was in last.</summary>
    public int MembersBefore { get; private set; }

    /// <summary>Every position that it has completed, whose sums it can tell.</summary>
    public HashSet<long> Done { get; private set; } = [];

    /// <summary>Whether what it holds is the state of a view that it was in since it joined.</summary>
    public bool Counts { get; set; }

    /// <summary>Whether it has neither died nor left.</summary>
    public bool IsAlive { get; private set; } = true;

    /// <summary>Whether it has asked to leave.</summary>
    public bool IsLeaving { get; private set; }

    /// <summary>Whether it waits for others.</summary>
    public bool CanComplain =>
        IsAlive
        && !_isBroken
        && _work.TryPeek(out var order)
        && order.View is { Members.Count: > 1 } view
        && view.Generation > _over
        && (order is ComputeOrder compute ? HasContributed(compute) : order is EnterOrder && _view == view);

    /// <summary>Whether it has left all views up to one, if it was ever in them.</summary>
    public bool HasLeft(ViewGeneration generation) => _view is null && _over >= generation;

    /// <summary>Receives the next message.</summary>
    /// <returns>False if there is none.</returns>
    public bool Receive()
    {
        if (!Incoming.TryDequeue(out var order))
            return false;
        if (order is ProbeOrder probe)
            return Answer(probe.Peer); // beside the work that is queued
        if (order is FreezeOrder freeze && freeze.Generation > _over)
            _over = freeze.Generation; // before the work that is queued
        _work.Enqueue(order);
        return true;
    }

    private bool Answer(int peer)
    {
        var cause = cluster.Reaches(number, peer) ? null : $"{number} does not reach {peer}";
        if (IsAlive)
            Outgoing.Enqueue(new Probed(number, peer, cause));
        return true;
    }

    /// <summary>Does the next thing that it has to do.</summary>
    /// <param name="isLate">Whether a step that is as good as done when its view ends is still completed.</param>
    /// <returns>False if there is nothing to do, or it waits for others.</returns>
    public bool Act(bool isLate)
    {
        if (!IsAlive || !_work.TryPeek(out var order))
            return false;
        switch (order)
        {
            case FreezeOrder freeze:
                (_view, _isBroken) = (null, false);
                return Finish(new Stopped(number, freeze.Generation, Position));
            case StopOrder:
                IsAlive = false;
                return true;
            case ComputeOrder compute when isLate && !_isBroken && CanComplete(compute):
                return Complete(compute);
            case { View: { } view } when _isBroken || view.Generation <= _over:
                return Finish();
            case EnterOrder enter:
                return Enter(enter.View!);
            case ComputeOrder compute when !HasContributed(compute):
                return Contribute(compute);
            case ComputeOrder compute:
                return CanComplete(compute) && Complete(compute);
            case SaveOrder save:
                cluster.Check(Positions.StepAt(Position!.Value) == save.Step, "the state that is saved is the one that was asked for");
                return Finish(new SnapshotSent(number, save.Step));
            default:
                return false;
        }
    }

    /// <summary>Dies.</summary>
    /// <param name="arriving">Chooses how many of its messages still arrive.</param>
    public void Kill(int arriving)
    {
        var rest = Outgoing.Take(arriving % (Outgoing.Count + 1)).ToList();
        Outgoing.Clear();
        rest.ForEach(Outgoing.Enqueue);
        Outgoing.Enqueue(new Lost(number, $"{number} has died", IsDeath: true, 0));
        IsAlive = false;
    }

    /// <summary>Ends without a word: it goes on under another number, or leaves.</summary>
    public void Retire() => IsAlive = false;

    /// <summary>Takes over what it has held under another number.</summary>
    public void Take(SimulatedMember before) =>
        (Position, Lineage, MembersBefore, Done) = (before.Position, before.Lineage, before.MembersBefore, before.Done);

    /// <summary>Asks to leave.</summary>
    public void AskToLeave(bool isUrgent)
    {
        IsLeaving = true;
        Outgoing.Enqueue(new Leaving(number, isUrgent));
    }

    /// <summary>Loses the link to a member of its view.</summary>
    /// <param name="which">Chooses the member.</param>
    public void Complain(int which)
    {
        var view = _work.Peek().View!;
        var peers = view.Members.Where(peer => peer != number).ToList();
        Complain(view, peers[which % peers.Count]);
    }

    /// <summary>Notices that a member that it waits for has gone.</summary>
    public void ComplainIfBlocked()
    {
        if (!CanComplain || _work.Peek() is not { View: { } view } order)
            return;
        var awaited = order is ComputeOrder compute
            ? view.Members.Where(peer => view.Contributed.GetValueOrDefault(peer) < compute.Position)
            : cluster.PeersOf(number, view).Where(peer => !view.Begun.Contains(peer) || peer == view.Source);
        foreach (var peer in awaited.Where(cluster.IsGone).Take(1))
            Complain(view, peer);
    }

    private void Complain(SimulatedView view, int peer)
    {
        _isBroken = true;
        Outgoing.Enqueue(new Complained(number, peer, view.Generation, $"{number} does not reach {peer}"));
    }

    private bool Finish(MembershipEvent? told = null)
    {
        _work.Dequeue();
        if (told is not null)
            Outgoing.Enqueue(told);
        return true;
    }

    // It reaches all of its peers, and fetches the state if it lacks it.
    private bool Enter(SimulatedView view)
    {
        if (view.Begun.Add(number))
        {
            (_view, MembersBefore) = (view, view.Members.Count);
            return true;
        }

        if (!cluster.PeersOf(number, view).All(view.Begun.Contains))
            return false;
        var step = Positions.StepAt(view.After);
        if (view.Lacking.Contains(number))
        {
            var held = cluster.StepHeldBy(view.Source);
            if (held > step)
            {
                cluster.Check(IsLeaving || cluster.IsCutOff(number), "no state is past while a member that stays needs it");
                Complain(view, view.Source);
                return true;
            }

            if (held != step)
                return false;
            Position = Positions.After(step);
            if (Lineage != view.Lineage)
                Done.Clear();
            Lineage = view.Lineage;
        }

        cluster.Check(Lineage == view.Lineage, "no state of an earlier lineage counts");
        cluster.Check(Position is { } position && Positions.StepAt(position) == step, "a view begins with the same state everywhere");
        Counts = true;
        return Finish(new Opened(number, view.Generation));
    }

    private bool HasContributed(ComputeOrder order) => order.View!.Contributed.GetValueOrDefault(number) >= order.Position;

    // Step s is trained from the state after step s - 1, and evaluated with the one after s.
    private bool Contribute(ComputeOrder order)
    {
        var before = order.View!.ReachedBy(number);
        cluster.Check(cluster.After(before) == order.Position, "what comes before a position is complete");
        cluster.Check(Positions.StepAt(Position!.Value) == Positions.StepAt(before), "a step begins with the state of the one before");
        order.View.Contributed[number] = order.Position;
        return true;
    }

    // A parameter server completes a step before its workers do.
    private bool CanComplete(ComputeOrder order) =>
        HasContributed(order)
        && order.View!.Members.All(member => order.View.Contributed.GetValueOrDefault(member) >= order.Position)
        && (
            !IsWorker || order.View.Members[0] != MembershipState.Coordinator || order.View.Completed.GetValueOrDefault(0) >= order.Position
        );

    private bool Complete(ComputeOrder order)
    {
        Position = order.View!.Completed[number] = order.Position;
        Done.Add(order.Position);
        return Finish(new Reported(number, order.View.Generation, order.Position));
    }
}
