using System.Threading.Channels;
using Distributed.Coordinator.Cluster.Control.Failures;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>
/// The single control loop of a run: handles events one at a time, tells <see cref="MembershipReducer"/> what has happened, and does what
/// it says. It computes nothing, and waits for the disk at the end alone. What there is to know and to decide lies in its parts, which
/// return what follows and never call back.
/// </summary>
internal sealed class RunController : IDisposable
{
    private readonly IRunObserver _observer;
    private readonly LivedTime _lived;
    private readonly ParameterServer? _server;
    private readonly ControlLog _log;
    private readonly MembershipRules _rules;
    private readonly MemberRegistry _members;
    private readonly RunProgress _progress;
    private readonly Handover _handover;
    private readonly WorkRecorder _recorder;
    private readonly GrantControl _grants;
    private readonly Continuation _continuation;
    private readonly MessageMeaning _meaning;
    private readonly StepTimes _times;
    private readonly ViewControl _view;
    private readonly LivenessControl _liveness;
    private readonly LossReports _losses;
    private readonly LocalWorkerControl _locals;
    private readonly Arrivals _arrivals;
    private readonly Departures _departures;
    private readonly FailureReports _failures;
    private readonly RunFailure _failure;
    private readonly RunConfirmation _confirmation;
    private MembershipState _membership;

    /// <summary>Prepares a run.</summary>
    /// <param name="request">The run.</param>
    /// <param name="observer">Receives the run's events.</param>
    /// <param name="time">The clock.</param>
    /// <param name="identity">The run's identity and this coordinator's epoch.</param>
    /// <param name="server">The parameter server, or null where the workers own the slices.</param>
    /// <param name="saved">Serves the newest state that the coordinator has; null where there is a parameter server.</param>
    /// <param name="locals">The worker processes of this machine.</param>
    /// <param name="logs">Where it is logged; null for nowhere.</param>
    public RunController(
        RunRequest request,
        IRunObserver observer,
        TimeProvider time,
        RunIdentity identity,
        ParameterServer? server,
        SavedState? saved,
        ILocalWorkers locals,
        ILoggerFactory? logs = null
    )
    {
        var (configuration, start) = (request.Configuration, request.Position);
        (_observer, _server) = (observer, server);
        _log = new ControlLog((logs ?? NullLoggerFactory.Instance).CreateLogger<ControlLog>());
        _lived = new LivedTime(time);
        _rules = MembershipRules.Of(request.Cluster, coordinatorHoldsState: server is not null);
        _membership = MembershipState.Empty(identity.Epoch, start, request.Folder.Lineage());
        _members = new MemberRegistry(identity, WelcomeSettings.Of(request), _lived);
        _liveness = new LivenessControl(_members, request.Cluster, observer, _lived);

        var writer = new GrantWriter(configuration, request.Dataset, request.Settings.TablesOfRows);
        var (ledger, standstill) = (new StepLedger(), new Standstill(observer, time));
        _progress = new RunProgress(request, observer, time, writer);
        _handover = new Handover(request.Folder, _progress, takesStates: server is null);
        _recorder = new WorkRecorder(ledger, _progress, standstill);
        _grants = new GrantControl(
            new WorkWindow(configuration, start, request.Cluster.CompareEvery),
            new GrantPace(time),
            new WorkGranter(_members, writer, ledger, server, _progress),
            _progress
        );
        _continuation = new Continuation(_recorder, _handover, _progress, _grants, server, saved);
        _meaning = new MessageMeaning(_handover, _grants);
        _times = new StepTimes(time, observer);
        _view = new ViewControl(
            new RangeControl(time),
            new TimeMeter(time),
            standstill,
            _members,
            writer.MostMicrobatches,
            configuration.Microbatch,
            observer
        );

        _losses = new LossReports(observer, time);
        _locals = new LocalWorkerControl(locals, request.Cluster, observer);
        _arrivals = new Arrivals(_members, _progress, observer);
        _departures = new Departures(_members, _locals, _losses, _progress, _view, _grants);
        _failures = new FailureReports(_members, _departures, _losses, hasServer: server is not null);
        _failure = new RunFailure(_lived);
        _confirmation = new RunConfirmation(_members, _progress, observer, _lived);
    }

    /// <summary>Runs to the end, or to the interruption.</summary>
    /// <param name="events">What happens.</param>
    /// <exception cref="RunFailedException">The run cannot go on; every worker has been told.</exception>
    public async Task<RunResult> RunAsync(ChannelReader<ClusterEvent> events)
    {
        await foreach (var clusterEvent in events.ReadAllAsync())
        {
            Handle(clusterEvent);
            _losses.Tell(_membership.Participants.Count);
            if (_progress.DropDamaged())
                AskAgain("a state that was to be saved is not the one that the workers have agreed on");
            await _progress.SaveAsync(_recorder.IsComplete);
            if (_progress.SavedPosition > _membership.Saved)
                Apply(new StateSaved(_progress.SavedPosition));
            if (_failure.Message is { } message)
                throw Failed(message);
            if (!_failure.Exists && !_confirmation.HasBegun)
                Advance();
            if (!_confirmation.IsComplete(_view.Current))
                continue;
            _view.TellTimes(_progress.LastStep, isLast: true);
            return await _progress.ResultAsync(_membership.View.Count, _losses.Count, _arrivals.Count);
        }

        throw new RunFailedException("the coordinator was shut down in the middle of the run");
    }

    /// <inheritdoc />
    public void Dispose() => _grants.Dispose();

    private void Handle(ClusterEvent clusterEvent)
    {
        switch (clusterEvent)
        {
            case MemberJoined joined:
                _members.Welcome(joined.Session);
                break;
            case JoinRefused refused:
                _arrivals.Refused(refused.Message);
                break;
            case MessageReceived received when _members.Receive(received.Session, received.Message):
                Receive(received.Session, received.Message);
                break;
            case MemberGone gone:
                Apply(_departures.Gone(gone.Session, gone.Cause));
                break;
            case LocalWorkerExited exited:
                Exited(exited);
                break;
            case SnapshotArrived arrived:
                _progress.Arrived(arrived);
                break;
            case ServerCompleted completed:
                if (!IsRollingBack)
                    Record(_recorder.Take(completed, _membership.View.Count));
                break;
            case ServerStopped stopped:
                Apply(new Stopped(MembershipState.Coordinator, stopped.Generation, stopped.Position));
                break;
            case ServerFailed failed:
                Follow(_failures.Of(failed));
                break;
            case Tick tick:
                _lived.Tick(tick.At);
                CheckLiveness();
                if (!_progress.IsInterrupted || _view.Current is not null)
                    Apply(new TimePassed());
                break;
            case Interrupted:
                _grants.Stop(hasMembers: _membership.View.Count > 0);
                break;
        }
    }

    private void Receive(MemberSession session, WorkerMessage message)
    {
        _log.Received(session.Worker, message);
        if (MessageMeaning.IsPast(message, _membership))
            return;
        switch (message.BodyCase)
        {
            case WorkerMessage.BodyOneofCase.Ready:
                _arrivals.Joined(session);
                break;
            case WorkerMessage.BodyOneofCase.Leave when session.State == SessionState.Preparing:
                _members.Dismiss(session);
                break;
            case WorkerMessage.BodyOneofCase.ViewOpened
                when _view.Current is { } view && view.Generation == ViewGeneration.From(message.Generation):
                _progress.Opened(session.Worker, view, message.ViewOpened);
                break;
            case WorkerMessage.BodyOneofCase.Reports:
                _times.Received(session.Worker, session.FullName, message.Reports);
                Take(session, message.Reports.Reports);
                break;
            case WorkerMessage.BodyOneofCase.SnapshotLost:
                AskAgain($"{session.Name} could not send its state ({message.SnapshotLost.Reason})");
                break;
            case WorkerMessage.BodyOneofCase.Failure:
                Follow(_failures.Of(session, message, hasView: _view.Current is not null));
                break;
        }

        Apply(_meaning.Of(session, message, _membership.Lineage));
    }

    private void AskAgain(string cause)
    {
        _observer.Report(new RunWarning($"{cause}; it is asked for again"));
        _grants.AskAgain();
    }

    private void Take(MemberSession session, IEnumerable<StepReport> reports)
    {
        foreach (var report in reports.TakeWhile(_ => !IsRollingBack))
        {
            _view.Observe(session.Worker, report);
            Record(_recorder.Take(session, report, _membership.View.Count));
        }
    }

    private void Follow(FailureVerdict verdict)
    {
        if (verdict.RunFailure is { } evidence)
            Fail(evidence);
        Apply(verdict.Happened);
    }

    // Until the run has gone back, what is reported counts no more.
    private bool IsRollingBack => _membership.Freezing is { IsRollBack: true };

    private void Record(Recording recording)
    {
        if (recording.Refutation is { } evidence)
            Fail(evidence);
        if (!recording.HasAny)
            return;
        Settle();
        foreach (var one in _membership.Participants.Values.Where(IsDone).ToList())
            Apply(new Drained(one.Worker));
    }

    private bool IsDone(Participant one) => one.Standing == Standing.Draining && _recorder.IsCompleteBefore(_view.Current!.FirstStep);

    private void Exited(LocalWorkerExited exited)
    {
        _log.Exited(exited.LocalNumber, exited.ProcessId, exited.Cause);
        var session = _members.LocalSession(exited.LocalNumber, exited.ProcessId);
        var wasReleased = session is { IsReleased: true };
        var evidence = Evidence.Of(exited, session);
        if (_failure.Exists || (_view.Current is null && _locals.PreventsStart(exited, wasReleased)))
        {
            Fail(evidence);
            return;
        }

        if (session is not null)
            Apply(_departures.Exited(session, evidence));
        if (wasReleased || _confirmation.HasBegun)
            return;
        var hadJoined = session is { HasBeenReady: true, State: not SessionState.TurnedAway };
        if (!_locals.TryReplace(exited, hadJoined, hasMembers: _membership.View.Count > 0))
            Fail(evidence);
    }

    private void CheckLiveness()
    {
        Expel(_liveness.Silent(), isDeath: false);
        if (_failure.Exists || _confirmation.HasBegun)
            return;
        // A computation that hangs has broken down, and may do so again: a step that it happens in every time is no accident.
        Expel(_liveness.Hanging(_membership, _rules, _recorder.Oldest, _progress.OldestExpected), isDeath: true);
    }

    // One may have gone with another.
    private void Expel(IEnumerable<(MemberSession Session, Evidence Evidence)> found, bool isDeath)
    {
        foreach (var (session, evidence) in found.Where(one => one.Session.IsOpen))
            Apply(_departures.Expel(session, evidence, isDeath));
    }

    private void Advance()
    {
        _grants.FollowDecision();
        while (NextGrant() is { } work)
        {
            if (work.Kind == WorkKind.Train)
                Plan(work.Step);
            if (NextGrant() != work)
                continue;
            _log.Granted(_view.Current!, work.Kind, work.Step);
            _grants.Grant(_view.Current!);
        }

        Expel(_grants.Send(), isDeath: false);
        var isOver = _grants.IsComplete && _recorder.IsComplete && _progress.IsSaved && _membership.Freezing is null;
        if (isOver && (_membership.View.Count > 0 || _progress.IsInterrupted))
        {
            _losses.Tell(_membership.Participants.Count, all: true);
            _confirmation.Begin();
        }
    }

    // Not before all that was done in the views before is on record: what only those know who leave or may die must not be lost.
    private PlannedWork? NextGrant() => _membership.IsRunning && _recorder.IsCompleteBefore(_view.Current!.FirstStep) ? _grants.Next : null;

    // Between two steps, members may join and leave, and stragglers get fewer microbatches; results are unchanged.
    private void Plan(long nextStep)
    {
        if (_membership.WantsChange)
            Apply(new Boundary(nextStep));
        else if (_view.ChooseShares() is { } shares)
            Apply(new SharedAnew(nextStep, shares));
    }

    private void Apply(MembershipEvent? happened)
    {
        if (happened is null)
            return;
        (_membership, var effects) = MembershipReducer.Apply(_membership, happened, _lived.GetElapsedTime(0), _rules);
        _log.Decided(happened, effects);
        foreach (var effect in effects)
            Do(effect);
        Settle();
    }

    private void Settle() => Apply(_recorder.TakeDispute(_members.FullNameOf));

    private void Do(MembershipEffect effect)
    {
        switch (effect)
        {
            case FreezeViews freeze:
                _view.Freeze();
                _members.Freeze(freeze.Workers);
                _server?.Freeze();
                break;
            case GoOnAfter after:
                _continuation.GoOnAfter(after.Position, Present());
                break;
            case RollBack back:
                _continuation.RollBack(back, Present());
                break;
            case BeginView begin:
                Enter(begin);
                break;
            case ReleaseWorker release when _members.Find(release.Worker) is { } session:
                _observer.Report(new WorkerLeft(session.FullName, release.Reason, _membership.View.Count));
                _members.Dismiss(session);
                break;
            case ProbeWorker probe:
                JoinProbes.Begin(_members, probe);
                break;
            case TurnAway turned when _members.Find(turned.Worker) is { } session:
                var reason = JoinProbes.Reason(_members, turned);
                _departures.TurnAway(session, reason);
                _arrivals.TurnedAway(session, reason);
                break;
            case ExpelWorker expel when _members.Find(expel.Worker) is { } session:
                _departures.Expel(session, expel);
                break;
            case StopForLack lack:
                _observer.Report(new RunWarning($"{lack.Reason}; the run stops after a last checkpoint, go on with --resume"));
                _grants.Stop(hasMembers: _membership.View.Count > 0);
                break;
            case GiveUpRun { Worker: { } worker } giveUp when _losses.EvidenceOf(worker) is { } evidence:
                Fail(evidence, giveUp.Reason);
                break;
            case GiveUpRun giveUp:
                throw Failed(giveUp.Reason);
        }
    }

    private List<MemberSession> Present() => [.. _membership.Participants.Keys.Select(_members.Get)];

    private void Enter(BeginView begin)
    {
        _handover.Complete();
        var view = _view.Begin(begin, _grants.NextStep);
        foreach (var worker in view.Workers)
            _locals.Joined(_members.Get(worker));
        _progress.Enter(view);
        _server?.Enter(view);
        _members.Enter(view, _grants.Position, _membership.Lineage, begin.Source, begin.Lacking);
    }

    private void Fail(Evidence evidence, string? finding = null)
    {
        if (!_confirmation.HasBegun)
            _failure.Add(evidence, finding);
    }

    private RunFailedException Failed(string reason)
    {
        _members.DismissAll(new Dismissal { Reason = reason });
        return new RunFailedException(reason);
    }
}
