using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Membership;

namespace Distributed.Coordinator.Tests.Cluster.Simulation;

/// <content>The coordinator: it grants, records, and does what the reducer says.</content>
internal sealed partial class SimulatedMembership
{
    // No view goes on.
    private void Abandon()
    {
        _over = _newest;
        _freeze = null;
        _views.Clear();
        _links.Clear();
        _ledger.Clear();
    }

    private void Handle(int from, MembershipEvent told)
    {
        if (_isOver || !_sessions.Contains(from))
            return;
        switch (told)
        {
            case Reported reported:
                Take(reported);
                break;
            case SnapshotSent sent:
                _snapshots.Add(sent.Step);
                break;
            case Arrived { Position: { } position } arrived when arrived.Lineage == _lineage && !CanTakeOver(_members[from], position):
                Apply(new Arrived(from));
                break;
            default:
                Note(told);
                Apply(told is Lost lost ? lost with { Reached = _position } : told);
                break;
        }

        Save();
        Advance();
        Release();
    }

    // Nothing may be missing that was done on the way to a state.
    private bool CanTakeOver(SimulatedMember worker, long position)
    {
        for (var next = After(_recorded); next <= position; next = After(next))
        {
            if (!worker.Done.Contains(next))
                return false;
        }

        return !_rules.CoordinatorHoldsState;
    }

    private long SavedPosition => Math.Min(_recorded, Positions.AfterEvaluation(_saved));

    private void Save()
    {
        _saved = Math.Max(_saved, _snapshots.Last(step => Positions.After(step) <= _recorded));
        if (!_rules.CoordinatorHoldsState && SavedPosition > _state.Saved)
            Apply(new StateSaved(SavedPosition));
    }

    // What the model itself remembers, to judge the decisions by.
    private void Note(MembershipEvent told)
    {
        switch (told)
        {
            case Lost lost:
                if (_freeze is not null && IsEngaged(lost.Worker))
                    _seen[(int)Sight.SecondLoss]++;
                if (lost.IsDeath && IsEngaged(lost.Worker))
                    _deaths.Add(_position);
                _sessions.Remove(lost.Worker);
                break;
            case Arrived { Position: { } position } arrived when arrived.Lineage == _lineage && !_brought.ContainsKey(arrived.Worker):
                (_known[arrived.Worker], _brought[arrived.Worker]) = (position, [.. _members[arrived.Worker].Done]);
                break;
            case Opened opened:
                _known.Remove(opened.Worker);
                break;
            case Stopped stopped when stopped.Generation == _freeze?.Generation:
                _answers[stopped.Worker] = stopped.Position;
                break;
            case Complained complained when _freeze is null && complained.Generation > _over:
                _links.Add((complained.Worker, complained.Peer));
                break;
        }
    }

    private void Take(Reported reported)
    {
        _log?.Invoke($"{reported}");
        var entry = _ledger.Find(entry => entry.Position == reported.Position && entry.View.Generation == reported.Generation);
        if (entry is null || !entry.Waiting.Remove(reported.Worker))
            return;
        entry.IsTold = true;
        while (_ledger is [{ Waiting.Count: 0 } first, ..])
        {
            _ledger.RemoveAt(0);
            Record(first.Position);
            (_reported, _reporters) = (first.Position, first.View.Members);
        }
    }

    private void Release()
    {
        foreach (var one in _state.Participants.Values.Where(IsDone).ToList())
            Apply(new Drained(one.Worker));
    }

    private bool IsDone(Participant one) =>
        one.Standing == Standing.Draining && !_ledger.Exists(entry => entry.View.Members.Contains(one.Worker));

    private void Record(long position)
    {
        Check(position == After(_position), "positions are recorded in order");
        _position = position;
        if (position <= _recorded)
            return;
        Check(position == After(_recorded), "no position is left out");
        _recorded = position;
    }

    private void Advance()
    {
        while (!_isOver && !_isCut && _state.IsRunning)
        {
            var (next, step) = (After(_granted), Positions.StepAt(After(_granted)));
            if (next == Positions.After(step))
            {
                if (step > Positions.StepAt(_position) + _history.StepsAhead)
                    return;
                AskForState(step - 1);
                Plan(step);
            }

            if (!_isCut && _state.IsRunning)
                Grant(next);
        }
    }

    private void Plan(long step)
    {
        if (_state.WantsChange)
            Apply(new Boundary(step));
        else if (_sharesAnew)
            Apply(new SharedAnew(step, []));
        _sharesAnew = false;
    }

    private void AskForState(long step)
    {
        if (_rules.CoordinatorHoldsState || step <= _asked || step % StepsPerSnapshot != 0)
            return;
        _asked = step;
        Send(_state.View[0], new SaveOrder(_views[^1], step));
    }

    private void Grant(long position)
    {
        _granted = position;
        _furthest = Math.Max(_furthest, position);
        var view = _views[^1];
        _ledger.Add(new LedgerEntry(position, view, [.. view.Members]));
        foreach (var member in view.Members)
            Send(member, new ComputeOrder(view, position));
    }

    private bool IsEngaged(int member) => _sessions.Contains(member) && _announced.GetValueOrDefault(member) > _over;

    private void Apply(MembershipEvent happened)
    {
        if (happened is not TimePassed)
            _log?.Invoke($"{_now.TotalSeconds:0.00} s, at {_position}: {happened}");
        (_state, var effects) = MembershipReducer.Apply(_state, happened, _now, _rules);
        foreach (var effect in effects)
        {
            _log?.Invoke($"    {MembershipReducerTests.Text(effect)}");
            Do(effect);
        }

        _isReached = false;
        CheckAgreement();
    }

    private void Do(MembershipEffect effect)
    {
        switch (effect)
        {
            case FreezeViews freeze:
                Freeze(freeze);
                break;
            case GoOnAfter after:
                GoOn(after.Position);
                break;
            case RollBack back:
                RollBack(back);
                break;
            case BeginView begin:
                Begin(begin);
                break;
            case ReleaseWorker { Worker: var worker }:
                Check(_members[worker].IsLeaving, "only those who have asked are released");
                Check(_freeze is null || !IsEngaged(worker), "nobody is released while a freeze waits for what it holds");
                Send(worker, new StopOrder());
                _sessions.Remove(worker);
                break;
            case ProbeWorker probe:
                Check(!_rules.CoordinatorHoldsState, "workers of a parameter server need not reach each other");
                foreach (var peer in probe.Peers)
                {
                    Send(probe.Worker, new ProbeOrder(peer));
                    Send(peer, new ProbeOrder(probe.Worker));
                }

                break;
            case TurnAway turned:
                TurnAway(turned);
                break;
            case ExpelWorker { Worker: var worker }:
                Expel(worker);
                break;
            case StopForLack:
                Check(_state.Participants.Values.All(one => one.IsLeaving), "the run stops only if nobody stays");
                _seen[(int)Sight.Ended]++;
                _isCut = true;
                break;
            case GiveUpRun giveUp:
                GiveUp(giveUp);
                break;
        }
    }

    private void Freeze(FreezeViews freeze)
    {
        CheckFreeze(freeze);
        _seen[(int)Sight.Freeze]++;
        (_freeze, _frozenAt) = (freeze, _now);
        _answers.Clear();
        foreach (var member in freeze.Workers)
            Send(member, new FreezeOrder(freeze.Generation));
    }

    private void GoOn(long? position)
    {
        if (_freeze is not null)
            CheckAnswers(position);
        else
            CheckBrought(position);
        var granted = _ledger.Where(entry => entry.Position <= position).ToList();
        Abandon();
        if (position is { } reached)
            GoOnAfter(reached, granted);
        else
            GoBack();
        (_granted, _asked, _isReached) = (_position, _saved, position is not null);
    }

    private void RollBack(RollBack back)
    {
        CheckLeft();
        Check(back.Lineage == _lineage + 1, "lineages rise by one");
        _lineage = back.Lineage;
        _seen[(int)Sight.RolledBack]++;
        Abandon();
        _deviators.Clear();
        _known.Clear();
        _brought.Clear();
        _snapshots.RemoveWhere(step => step > _saved);
        _recorded = SavedPosition;
        GoBack();
        foreach (var member in _members.Values)
            member.Counts = false;
        if (_rules.CoordinatorHoldsState)
            (_members[MembershipState.Coordinator].Position, _members[MembershipState.Coordinator].Lineage) = (_position, _lineage);
        (_granted, _asked, _isReached) = (_position, _saved, false);
    }

    private void GoOnAfter(long position, List<LedgerEntry> granted)
    {
        foreach (var entry in granted)
        {
            if (!entry.IsTold && !IsBrought(entry.Position))
                _seen[(int)Sight.SumsLost]++;
            Record(entry.Position);
        }

        if (position < _position)
            _seen[(int)(Positions.StepAt(position) < Positions.StepAt(_position) ? Sight.LostAgain : Sight.Reevaluated)]++;
        Check(position <= _furthest, "nothing is done that was not granted");
        _position = position;
        _recorded = Math.Max(_recorded, position);
    }

    private void GoBack()
    {
        if (_position > SavedPosition)
            _seen[(int)Sight.WentBack]++;
        _served = _saved;
        _position = _reported = SavedPosition;
        _reporters = [];
        foreach (var member in _answers.Keys)
            _members[member].Counts = false;
    }

    private void Begin(BeginView begin)
    {
        CheckView(begin);
        var isPlanned = begin.Workers.Any(IsEngaged);
        Check(
            !isPlanned || _rules.CoordinatorHoldsState || begin.Workers.All(worker => IsEngaged(worker) || !_walled.Contains(worker)),
            "none joins a view whose members do not reach it"
        );
        if (!isPlanned)
            _walled.ExceptWith(begin.Workers); // among newcomers alone, complaints tell
        var isHandedOver = begin.Lacking.Count > 0 && begin.Workers.Any(worker => _state.Participants[worker].IsLeaving);
        _seen[(int)Sight.Planned] += isPlanned ? 1 : 0;
        _seen[(int)Sight.Behind] += !isPlanned && begin.Source != MembershipState.Coordinator && begin.Lacking.Count > 0 ? 1 : 0;
        if (isHandedOver)
            _seen[(int)(isPlanned ? Sight.Handover : Sight.KeptLeaver)]++;
        _newest = begin.Generation;
        var members = _rules.CoordinatorHoldsState ? begin.Workers.Prepend(MembershipState.Coordinator) : begin.Workers;
        _views.Add(new SimulatedView(begin.Generation, _lineage, _granted, [.. members], begin.Source, begin.Lacking));
        foreach (var member in _views[^1].Members)
        {
            _announced[member] = begin.Generation;
            Send(member, new EnterOrder(_views[^1]));
            if (begin.Lacking.Contains(member))
                continue;
            _members[member].Counts |= _known.Remove(member);
        }
    }

    private void Expel(int worker)
    {
        var isLate = _freeze is not null && !_answers.ContainsKey(worker) && _now - _frozenAt >= MembershipRules.FreezeTime;
        var isUnreachable = _links.Any(link => link.Item1 == worker || link.Item2 == worker);
        var isDeviator = _deviators.Contains(worker);
        Check(isLate || isUnreachable || isDeviator, "those who are expelled were late, are not reached by others, or differ from most");
        _seen[
            (int)(
                isLate ? Sight.Late
                : isDeviator ? Sight.Deviator
                : Sight.Unreachable
            )
        ]++;
        _sessions.Remove(worker);
        if (worker % 2 == 0)
            _members[worker].Kill(0); // the others are out of reach
    }

    private void TurnAway(TurnAway turned)
    {
        CheckTurnedAway(turned);
        _seen[(int)Sight.TurnedAway]++;
        _sessions.Remove(turned.Worker);
        _members[turned.Worker].Retire();
    }

    private void GiveUp(GiveUpRun giveUp)
    {
        var isPoison = _deaths.Count(reached => reached == _position) >= MembershipRules.MostLossesOfAStep;
        var isAlone = _state.View.Count == 0 && _state.Participants.Values.All(one => one.IsLeaving || !_state.HasTrained);
        Check(giveUp.Worker is null ? isAlone || _disputes > 1 : isPoison, "a run is given up for a reason");
        _seen[(int)Sight.Ended]++;
        _isOver = true;
    }

    // What has been granted.
    private sealed record LedgerEntry(long Position, SimulatedView View, HashSet<int> Waiting)
    {
        public bool IsTold { get; set; } // its sums, by at least one member
    }
}
