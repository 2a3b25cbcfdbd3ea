using System.Globalization;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Membership;

namespace Distributed.Coordinator.Tests.Cluster.Simulation;

/// <content>The promises, and what breaks them.</content>
internal sealed partial class SimulatedMembership
{
    /// <summary>Throws if a promise is broken.</summary>
    public void Check(bool isKept, string promise)
    {
        if (!isKept)
            throw Broken(promise);
    }

    private InvalidOperationException Broken(string promise) =>
        new(string.Create(CultureInfo.InvariantCulture, $"BROKEN at {_now.TotalSeconds:0.00} s: {promise}"));

    private List<int> CheckLeft()
    {
        var survivors = _sessions.Where(IsEngaged).ToList();
        Check(survivors.TrueForAll(_answers.ContainsKey), "all who are left have answered");
        Check(survivors.TrueForAll(one => _members[one].HasLeft(_newest)), "all who are left have left their views");
        return survivors;
    }

    private void CheckAnswers(long? position)
    {
        var survivors = CheckLeft();
        Check(_links.All(link => !survivors.Contains(link.Item1) || !survivors.Contains(link.Item2)), "no dead link stays");
        if (_rules.CoordinatorHoldsState)
        {
            Check(position == _answers[MembershipState.Coordinator], "the run goes on from the coordinator's state");
            Check(position >= _recorded, "the coordinator is lost with the run only");
            Check(!survivors.Exists(one => _members[one].Counts && _members[one].Position > position), "nobody is beyond it");
            return;
        }

        // What a newcomer has brought along counts as well once the coordinator knows how it came about.
        var newest = survivors.Where(one => _members[one].Counts).Max(one => _answers[one]);
        var brought = survivors.Max(one => _answers[one]);
        Check(position is not null || newest is null || newest < _state.Saved, "the run goes back only if no survivor holds a later state");
        if (position is not { } reached)
            return;
        Check(position == newest || (position == brought && IsKnown(reached)), "the run goes on from the newest state");
        Check(!(newest > position), "nobody is beyond it");
        Check(Positions.StepAt(reached) >= Positions.StepAt(_state.Saved), "no state is older than the one that the coordinator has");
        Check(
            Positions.StepAt(reached) >= Positions.StepAt(_reported) || !survivors.Exists(_reporters.Contains),
            "what all have reported is not lost while one of them lives"
        );
    }

    private bool IsKnown(long position)
    {
        for (var next = After(_recorded); next <= position; next = After(next))
        {
            if (!IsBrought(next) && !_ledger.Exists(entry => entry.Position == next && entry.IsTold))
                return false;
        }

        return true;
    }

    private bool IsBrought(long position) => _brought.Any(one => _sessions.Contains(one.Key) && one.Value.Contains(position));

    private void CheckBrought(long? position)
    {
        Check(!_sessions.Any(IsEngaged), "a run is taken over only if no view goes on");
        var known = _known.Where(one => _sessions.Contains(one.Key)).ToList();
        Check(known.Exists(one => one.Value == position), "it goes on from a state that somebody holds");
        Check(known.TrueForAll(one => one.Value <= position || _announced.ContainsKey(one.Key)), "it goes on from the newest state");
        Check(position > _state.Saved, "it goes on from a later state than the coordinator's");
        _seen[(int)Sight.TakenOver]++;
    }

    private void CheckSource(BeginView begin, long step)
    {
        if (begin.Lacking.Count == 0)
            return;
        var holders = begin.Workers.Except(begin.Lacking);
        if (begin.Source != MembershipState.Coordinator)
            Check(!_rules.CoordinatorHoldsState && holders.Contains(begin.Source), "the source holds the state");
        else if (!_rules.CoordinatorHoldsState)
            Check(_served == step, "the coordinator hands out the state that the view begins with");
    }

    private void CheckAgreement()
    {
        Check(_state.Generation == _newest, "the newest view is the one that was announced last");
        Check((_state.Freezing is null) == (_freeze is null), "a freeze begins and ends with its effects");
        Check(_state.Participants.Keys.All(_sessions.Contains), "those who are gone take no part");
        if (_state.IsRunning)
            Check(_state.View.All(worker => _state.Participants[worker].Standing == Standing.Member), "a view consists of members");
    }

    private void CheckFreeze(FreezeViews freeze)
    {
        Check(_freeze is null, "a freeze ends before the next one begins");
        Check(freeze.Generation == _newest, "a freeze ends all views");
        Check(freeze.Workers.SequenceEqual(_sessions.Where(IsEngaged)), "all who may be in a view are told of its end");
        foreach (var view in _views)
        {
            var (first, last) = (view.Members.Min(one => view.ReachedBy(one)), view.Members.Max(one => view.ReachedBy(one)));
            Check(last <= After(first), "members of a view are at most one position apart");
            if (last > first)
                _seen[(int)Sight.OneApart]++;
        }
    }

    private void CheckTurnedAway(TurnAway turned)
    {
        var (from, to) = turned.Way;
        Check(from == turned.Worker || to == turned.Worker, "who is turned away is an end of the way");
        Check(!IsEngaged(turned.Worker), "members are not turned away");
        Check(_sessions.Contains(from) && _sessions.Contains(to), "nobody is turned away because of one that has gone");
        // One that is dead, and not known to be, does not answer either.
        var isOutOfReach = _walled.Contains(from) || _walled.Contains(to) || _members.Values.Any(member => !member.IsAlive);
        Check(isOutOfReach || turned.Reason.StartsWith("it has not said", StringComparison.Ordinal), "who is turned away is out of reach");
    }

    private void CheckView(BeginView begin)
    {
        Check(_freeze is null, "no view begins during a freeze");
        Check(begin.Generation > _newest, "generations rise");
        Check(begin.Workers.Count > 0 && begin.Workers.Distinct().Count() == begin.Workers.Count, "a view has members, each of them once");
        Check(begin.Workers.All(worker => worker != MembershipState.Coordinator && _sessions.Contains(worker)), "its members are there");
        var step = Positions.StepAt(_granted);
        bool Holds(int worker) =>
            _members[worker] is { Position: { } held, Lineage: var lineage } && lineage == _lineage && Positions.StepAt(held) == step;
        Check(
            begin.Workers.All(worker => IsEngaged(worker) || Holds(worker) || begin.Lacking.Contains(worker)),
            "those who lack the state fetch it"
        );
        Check(
            !begin.Lacking.Any(worker => IsEngaged(worker) || (_isReached && _members[worker].Counts && Holds(worker))),
            "nobody else does"
        );
        CheckSource(begin, step);
    }
}
