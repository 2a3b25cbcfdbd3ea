using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Tests.Cluster.Simulation;

/// <summary>
/// A model of a cluster around <see cref="MembershipReducer"/>: members that train and evaluate positions together, messages that arrive
/// in order from each sender and in any order between senders, and a coordinator that grants, records, and does what the reducer says.
/// It throws as soon as a promise is broken.
/// </summary>
internal sealed partial class SimulatedMembership
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

    /// <summary>The position after another one; what is evaluated are a held-out part and a test set.</summary>
    public long After(long position)
    {
        var step = Positions.StepAt(position);
        return IsEvaluated(step) && position < Positions.AfterEvaluation(step) ? position + 1 : Positions.After(step + 1);
    }

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
        var member = _members[worker];
        member.Outgoing.Enqueue(new Arrived(worker, member.Position, member.Lineage, member.MembersBefore));
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
}
