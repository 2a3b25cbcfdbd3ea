using System.Globalization;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>What happens next in a simulated cluster.</summary>
internal enum Happening
{
    /// <summary>Every message arrives and every member works, for a few rounds; perhaps one does not work, and one is not heard.</summary>
    Go = 0,

    /// <summary>One message arrives, at a member or at the coordinator.</summary>
    Arrive,

    /// <summary>One member does the next thing that it has to do.</summary>
    Act,

    /// <summary>A worker dies; some of what it sent still arrives, and then the end of its session.</summary>
    Kill,

    /// <summary>The coordinator cuts a worker off, which goes on with what it has received.</summary>
    CutOff,

    /// <summary>A worker joins; some are not reached by the others.</summary>
    Join,

    /// <summary>A worker that was cut off joins again, with the state that it holds.</summary>
    Return,

    /// <summary>The coordinator dies; another one takes the run over, and the workers join it with what they hold.</summary>
    Restart,

    /// <summary>A worker asks to leave.</summary>
    Leave,

    /// <summary>A member in the middle of a step, or of opening a view, loses a link and gives the view up.</summary>
    Complain,

    /// <summary>Something that a worker sent earlier arrives once more.</summary>
    Repeat,

    /// <summary>Shares change before the next step.</summary>
    Share,

    /// <summary>Members of the newest view hold different states.</summary>
    Dispute,

    /// <summary>Time passes.</summary>
    Wait,
}

/// <summary>One event of a history.</summary>
/// <param name="Happening">What happens.</param>
/// <param name="Which">Chooses to whom, among those to whom it can happen.</param>
/// <param name="How">Chooses how.</param>
internal readonly record struct Chance(Happening Happening, int Which, int How);

/// <summary>All that decides a simulated run.</summary>
/// <param name="CoordinatorHoldsState">Whether there is a parameter server.</param>
/// <param name="Workers">How many the run begins with.</param>
/// <param name="StepsPerEvaluation">The test set is evaluated after every so many steps.</param>
/// <param name="StepsAhead">How many steps are granted ahead.</param>
/// <param name="Chances">What happens, until failures stop.</param>
internal sealed record SimulatedHistory(
    bool CoordinatorHoldsState,
    int Workers,
    int StepsPerEvaluation,
    int StepsAhead,
    IReadOnlyList<Chance> Chances
);

/// <summary>What a history may come across; counted, so that a test can tell that it has tested something.</summary>
internal enum Sight
{
    /// <summary>Views were ended.</summary>
    Freeze = 0,

    /// <summary>A second member was lost before all had answered.</summary>
    SecondLoss,

    /// <summary>Members of a view were one position apart when it was ended.</summary>
    OneApart,

    /// <summary>A member of the next view had to fetch the state from another one.</summary>
    Behind,

    /// <summary>All members were leaving, and stayed for one more view with newcomers.</summary>
    Handover,

    /// <summary>A leaver alone held the newest state, and stayed.</summary>
    KeptLeaver,

    /// <summary>No survivor held a state, and steps were lost.</summary>
    WentBack,

    /// <summary>A worker was expelled because others did not reach it.</summary>
    Unreachable,

    /// <summary>A worker was expelled because it had not answered in time.</summary>
    Late,

    /// <summary>A newcomer joined, or a leaver left, between two steps.</summary>
    Planned,

    /// <summary>A newcomer was turned away, since others do not reach it.</summary>
    TurnedAway,

    /// <summary>The run went on from a state that a worker brought along.</summary>
    TakenOver,

    /// <summary>The holders of a position that was known only from them were lost before others had fetched it.</summary>
    LostAgain,

    /// <summary>An evaluation is repeated, because nobody knows any more that it was done.</summary>
    Reevaluated,

    /// <summary>A position is done, but those who could tell its sums are gone.</summary>
    SumsLost,

    /// <summary>Members differed, and the run went back to what they had agreed on.</summary>
    RolledBack,

    /// <summary>A member that differed from the majority was expelled.</summary>
    Deviator,

    /// <summary>The run was given up, or stopped for lack of workers.</summary>
    Ended,
}

/// <summary>
/// A model of a cluster around <see cref="MembershipReducer"/>: members that train and evaluate positions together, messages that arrive
/// in order from each sender and in any order between senders, and a coordinator that grants, records, and does what the reducer says.
/// It throws as soon as a promise is broken.
/// </summary>
internal sealed class SimulatedMembership
{
    private const int StepsPerSnapshot = 3;
    private static readonly TimeSpan TickTime = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SettlingTime = TimeSpan.FromSeconds(8); // less than a freeze may take
    private static readonly TimeSpan[] Waits = [.. new[] { 0.01, 0.3, 0.3, 1, 1, 2, 16 }.Select(seconds => TimeSpan.FromSeconds(seconds))];

    private readonly SimulatedHistory _history;
    private readonly Action<string>? _log;
    private readonly MembershipRules _rules;
    private readonly SortedDictionary<int, SimulatedMember> _members = [];
    private readonly SortedSet<int> _sessions = []; // those that the coordinator listens to, itself included where it is a member
    private readonly Dictionary<int, ViewGeneration> _announced = []; // by member: the newest view that it was told of
    private readonly List<SimulatedView> _views = []; // that are not over
    private readonly List<(int From, MembershipEvent Told)> _past = [];
    private readonly List<LedgerEntry> _ledger = []; // granted, and not recorded yet
    private readonly List<long> _deaths = []; // the positions that had been reached by then
    private readonly HashSet<(int, int)> _links = []; // that members have complained about
    private readonly HashSet<int> _walled = []; // newcomers that no other worker reaches, as probes tell
    private readonly Dictionary<int, long?> _answers = [];
    private readonly Dictionary<int, long> _known = []; // what newcomers hold from before
    private readonly Dictionary<int, HashSet<long>> _brought = []; // of workers that came with a state: the positions that they have done
    private readonly SortedSet<long> _snapshots = [0]; // steps whose state has arrived
    private readonly int[] _seen = new int[Enum.GetValues<Sight>().Length];
    private MembershipState _state = MembershipState.Empty(1, Positions.AfterEvaluation(0));
    private TimeSpan _now;
    private ViewGeneration _newest = new(1, 0);
    private ViewGeneration _over = new(1, 0);
    private FreezeViews? _freeze;
    private TimeSpan _frozenAt;
    private long _position = Positions.AfterEvaluation(0);
    private long _recorded = Positions.AfterEvaluation(0); // the furthest ever
    private long _reported = Positions.AfterEvaluation(0); // by all members of its view, since the run went back last
    private IReadOnlyList<int> _reporters = []; // who have
    private long _granted = Positions.AfterEvaluation(0);
    private long _furthest; // that was ever granted
    private bool _isReached; // the position that the next view begins after is one that a worker holds
    private long _saved; // the newest step whose state the coordinator has
    private long _served; // the one that it hands out
    private long _asked; // the last step whose state was asked for
    private bool _sharesAnew;
    private uint _lineage;
    private readonly HashSet<int> _deviators = []; // that may be expelled for it
    private int _disputes;
    private bool _isOver;
    private bool _isCut;

    private SimulatedMembership(SimulatedHistory history, Action<string>? log)
    {
        (_history, _log) = (history, log);
        _rules = new MembershipRules(
            history.Workers,
            ExpectsOthers: false,
            history.CoordinatorHoldsState,
            JoinTime: TimeSpan.FromMinutes(1),
            WaitTime: TimeSpan.FromSeconds(30)
        );
        if (!history.CoordinatorHoldsState)
            return;
        _members.Add(MembershipState.Coordinator, new SimulatedMember(MembershipState.Coordinator, this) { Position = _position });
        _sessions.Add(MembershipState.Coordinator);
    }

    /// <summary>Lives through a history, and then until the run has made progress without further failures.</summary>
    /// <param name="history">The history.</param>
    /// <param name="log">Receives what happens.</param>
    /// <returns>How often each <see cref="Sight"/> was seen.</returns>
    public static IReadOnlyList<int> Run(SimulatedHistory history, Action<string>? log = null)
    {
        var cluster = new SimulatedMembership(history, log);
        for (var worker = 0; worker < history.Workers; worker++)
            cluster.Join();
        foreach (var chance in history.Chances)
            cluster.Take(chance);
        cluster.Settle();
        return cluster._seen;
    }

    /// <summary>What happens in a history, a line for each event; the last line is the promise that was broken.</summary>
    public static string Log(SimulatedHistory history)
    {
        var lines = new List<string> { "" };
        try
        {
            Run(history, lines.Add);
        }
        catch (InvalidOperationException exception)
        {
            lines.Add(exception.Message);
        }

        return string.Join('\n', lines);
    }

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

    /// <summary>The position after another one.</summary>
    public long After(long position) =>
        position % 2 == 0 && IsEvaluated(Positions.StepAt(position)) ? position + 1 : Positions.After(Positions.StepAt(position) + 1);

    /// <summary>Throws if a promise is broken.</summary>
    public void Check(bool isKept, string promise)
    {
        if (!isKept)
            throw Broken(promise);
    }

    private InvalidOperationException Broken(string promise) =>
        new(string.Create(CultureInfo.InvariantCulture, $"BROKEN at {_now.TotalSeconds:0.00} s: {promise}"));

    private bool IsEvaluated(long step) => step == 0 || step % _history.StepsPerEvaluation == 0;

    private void Take(Chance chance)
    {
        if (_isOver)
            return;
        var (_, which, how) = chance;
        switch (chance.Happening)
        {
            case Happening.Go:
                for (var round = 0; round <= how % 4; round++)
                    PumpAll(which, hanging: how / 4 % 16, unheard: how / 64);
                break;
            case Happening.Arrive when Pick(which, member => member.Incoming.Count + member.Outgoing.Count > 0) is { } member:
                if (member.Outgoing.Count == 0 || (how % 2 == 0 && member.Incoming.Count > 0))
                    member.Receive();
                else
                    Hear(member);
                break;
            case Happening.Act:
                Pick(which, member => member.IsAlive)?.Act(isLate: how % 3 == 0);
                break;
            case Happening.Kill:
                Pick(which, member => member.IsAlive && member.IsWorker)?.Kill(how);
                break;
            case Happening.CutOff when Pick(which, member => member.IsWorker && _sessions.Contains(member.Number)) is { } member:
                Handle(member.Number, new Lost(member.Number, $"{member.Number} is silent", IsDeath: false, 0));
                break;
            case Happening.Join when _members.Values.Count(member => member.IsAlive) < 6:
                Join();
                if (how % 4 == 0)
                    _walled.Add(_members.Keys.Last());
                break;
            case Happening.Return when Pick(which, CanReturn) is { } member:
                Return(member);
                break;
            case Happening.Restart when !_rules.CoordinatorHoldsState:
                Restart();
                break;
            case Happening.Leave:
                Pick(which, member => member is { IsAlive: true, IsLeaving: false, IsWorker: true })?.AskToLeave(isUrgent: how % 3 == 0);
                break;
            case Happening.Complain:
                Pick(which, member => member.CanComplain)?.Complain(how);
                break;
            case Happening.Repeat when _past.Count > 0:
                Handle(_past[which % _past.Count].From, _past[which % _past.Count].Told);
                break;
            case Happening.Share:
                _sharesAnew = true;
                break;
            case Happening.Dispute when _state.IsRunning && _views[^1].Members.Count > 1:
                Dispute(which, how);
                break;
            case Happening.Wait:
                Wait(Waits[how % Waits.Length]);
                break;
        }
    }

    private SimulatedMember? Pick(int which, Func<SimulatedMember, bool> can)
    {
        var able = _members.Values.Where(can).ToList();
        return able.Count == 0 ? null : able[which % able.Count];
    }

    private void Join(SimulatedMember? before = null)
    {
        var worker = _members.Keys.LastOrDefault() + 1;
        _members.Add(worker, new SimulatedMember(worker, this));
        _sessions.Add(worker);
        if (before is not null)
            _members[worker].Take(before);
        _members[worker].Outgoing.Enqueue(new Arrived(worker, _members[worker].Position, _members[worker].Lineage));
    }

    private bool CanReturn(SimulatedMember member) =>
        member is { IsAlive: true, IsLeaving: false, IsWorker: true } && !_sessions.Contains(member.Number);

    private void Return(SimulatedMember member)
    {
        member.Retire();
        Join(member);
    }

    private void Restart()
    {
        var workers = _sessions.Select(worker => _members[worker]).Where(member => member.IsAlive).ToList();
        _sessions.Clear();
        _announced.Clear();
        _known.Clear();
        _brought.Clear();
        _past.Clear();
        _deaths.Clear();
        Abandon();
        _log?.Invoke("the coordinator restarts");
        _position = _reported = _granted = SavedPosition;
        _served = _asked = _saved;
        _state = MembershipState.Empty(_newest.Epoch + 1, SavedPosition, _lineage) with { Since = _now };
        _disputes = 0;
        _newest = _over = _state.Generation;
        foreach (var member in workers)
        {
            if (CanReturn(member))
                Return(member);
            else
                member.Retire();
        }
    }

    // In up to three camps.
    private void Dispute(int which, int how)
    {
        var camps = _views[^1].Members.GroupBy(member => (member + which) % (2 + (how % 2))).Select(camp => camp.ToList()).ToList();
        if (camps.Count < 2)
            return;
        _disputes++;
        _deviators.UnionWith(camps.OrderBy(camp => camp.Count).SkipLast(1).SelectMany(camp => camp));
        Apply(new Disagreed(camps, "states differ"));
    }

    // No view goes on.
    private void Abandon()
    {
        _over = _newest;
        _freeze = null;
        _views.Clear();
        _links.Clear();
        _ledger.Clear();
    }

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

    // Failures have stopped. If one worker stays, the run goes on, and soon.
    private void Settle()
    {
        var (goal, deadline) = (After(After(After(_recorded))), _now + SettlingTime);
        while (_recorded < goal && !_isOver && !_isCut)
        {
            while (Staying() < (_state.HasTrained ? 1 : _rules.MinimumWorkers))
                Join();
            PumpAll(0);
            foreach (var member in _members.Values)
                member.ComplainIfBlocked();
            Wait(TickTime);
            Check(_now < deadline, "the run goes on when failures have stopped");
        }
    }

    private int Staying() =>
        _members.Values.Count(one => one is { IsAlive: true, IsLeaving: false, IsWorker: true } && _sessions.Contains(one.Number));

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
            if (next % 2 == 0)
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

    private void Send(int member, Order order)
    {
        if (_sessions.Contains(member))
            _members[member].Incoming.Enqueue(order);
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
        Check(_state.Generation == _newest, "the newest view is the one that was announced last");
        Check((_state.Freezing is null) == (_freeze is null), "a freeze begins and ends with its effects");
        Check(_state.Participants.Keys.All(_sessions.Contains), "those who are gone take no part");
        if (_state.IsRunning)
            Check(_state.View.All(worker => _state.Participants[worker].Standing == Standing.Member), "a view consists of members");
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
        var (from, to) = turned.Way;
        Check(from == turned.Worker || to == turned.Worker, "who is turned away is an end of the way");
        Check(!IsEngaged(turned.Worker), "members are not turned away");
        Check(_sessions.Contains(from) && _sessions.Contains(to), "nobody is turned away because of one that has gone");
        // One that is dead, and not known to be, does not answer either.
        var isOutOfReach = _walled.Contains(from) || _walled.Contains(to) || _members.Values.Any(member => !member.IsAlive);
        Check(isOutOfReach || turned.Reason.StartsWith("it has not said", StringComparison.Ordinal), "who is turned away is out of reach");
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

/// <summary>A view as it is: who has done what in it, dead members included.</summary>
internal sealed class SimulatedView(
    ViewGeneration generation,
    uint lineage,
    long after,
    IReadOnlyList<int> members,
    int source,
    IReadOnlySet<int> lacking
)
{
    public ViewGeneration Generation => generation;

    /// <summary>Of the state that it begins with.</summary>
    public uint Lineage => lineage;

    /// <summary>The position that it begins after.</summary>
    public long After => after;

    /// <summary>The coordinator among them where it is a member.</summary>
    public IReadOnlyList<int> Members => members;

    public int Source => source;

    public IReadOnlySet<int> Lacking => lacking;

    /// <summary>Those who have begun to reach the others.</summary>
    public HashSet<int> Begun { get; } = [];

    /// <summary>The last position that a member has contributed to.</summary>
    public Dictionary<int, long> Contributed { get; } = [];

    /// <summary>The last position that a member has completed.</summary>
    public Dictionary<int, long> Completed { get; } = [];

    public long ReachedBy(int member) => Completed.GetValueOrDefault(member, after);
}

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
    public void Take(SimulatedMember before) => (Position, Lineage, Done) = (before.Position, before.Lineage, before.Done);

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
            _view = view;
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

/// <summary>A message from the coordinator.</summary>
/// <param name="View">The view that it belongs to, if it ends with it.</param>
internal abstract record Order(SimulatedView? View);

internal sealed record EnterOrder(SimulatedView View) : Order(View);

internal sealed record ComputeOrder(SimulatedView View, long Position) : Order(View);

internal sealed record SaveOrder(SimulatedView View, long Step) : Order(View);

internal sealed record FreezeOrder(ViewGeneration Generation) : Order((SimulatedView?)null);

internal sealed record StopOrder() : Order((SimulatedView?)null);

internal sealed record ProbeOrder(int Peer) : Order((SimulatedView?)null);

/// <summary>A member has completed a position.</summary>
internal sealed record Reported(int Worker, ViewGeneration Generation, long Position) : MembershipEvent;

/// <summary>A state has arrived at the coordinator.</summary>
internal sealed record SnapshotSent(int Worker, long Step) : MembershipEvent;
