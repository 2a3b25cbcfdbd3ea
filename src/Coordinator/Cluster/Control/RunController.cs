using System.Threading.Channels;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>
/// The single control loop of a run: handles events one at a time, tells <see cref="MembershipReducer"/> what has happened and does what
/// it says, grants work, and combines the workers' reports. It computes nothing, and waits for the disk at the end alone.
/// </summary>
internal sealed class RunController : IAsyncDisposable
{
    /// <summary>How long workers that have been told that the run is complete may take to confirm it.</summary>
    private static readonly TimeSpan ConfirmationTime = TimeSpan.FromSeconds(10);

    /// <summary>How much of granted work a worker that was asked to leave waits for; what takes longer is given up.</summary>
    private static readonly TimeSpan LeavingTime = TimeSpan.FromSeconds(5);

    private readonly RunRequest _request;
    private readonly IRunObserver _observer;
    private readonly LivedTime _lived;
    private readonly ParameterServer? _server;
    private readonly SavedState? _saved;
    private readonly ILocalWorkers _locals;
    private readonly MemberRegistry _members;
    private readonly MembershipRules _rules;
    private readonly GrantWriter _grants;
    private readonly WorkWindow _window;
    private readonly GrantPace _pace;
    private readonly RangeControl _ranges;
    private readonly WorkGranter _granter;
    private readonly StepLedger _ledger = new();
    private readonly FailureEvidence _failure = new();
    private readonly LossReports _losses;
    private readonly Standstill _standstill;
    private readonly WaitControl _waits;
    private readonly JoinProbes _probes;
    private readonly ReplacementPolicy _replacement = new();
    private readonly Queue<MemberSession> _unsent = new(); // workers that take nothing
    private readonly HashSet<string> _refused = []; // what has been told of workers that were not let in
    private readonly RunProgress _progress;
    private MembershipState _membership;
    private ClusterView? _view;
    private IReadOnlyList<int>? _shares; // of the next view, where they have been chosen
    private int _joined; // after the first step
    private int _mostWorkers; // that it was told of that they have too little to do
    private bool _hasContinued; // what the folder holds from an earlier coordinator has been cut to where the run goes on
    private int _abandonedLocals; // that ended too often
    private CompletedWork? _dispute; // found while the end of a view was handled
    private string? _finding; // what the failures add up to
    private long _failedAt;
    private long? _dismissedAt;

    /// <summary>Prepares a run.</summary>
    /// <param name="request">The run.</param>
    /// <param name="observer">Receives the run's events.</param>
    /// <param name="time">The clock.</param>
    /// <param name="identity">The run's identity and this coordinator's epoch.</param>
    /// <param name="server">The parameter server, or null where the workers own the slices.</param>
    /// <param name="saved">Serves the newest state that the coordinator has; null where there is a parameter server.</param>
    /// <param name="locals">The worker processes of this machine.</param>
    public RunController(
        RunRequest request,
        IRunObserver observer,
        TimeProvider time,
        RunIdentity identity,
        ParameterServer? server,
        SavedState? saved,
        ILocalWorkers locals
    )
    {
        _request = request;
        _observer = observer;
        _lived = new LivedTime(time);
        (_server, _saved, _locals) = (server, saved, locals);
        _rules = RulesOf(request.Cluster, hasServer: server is not null);
        var start = Positions.Start(request.Start.Step, request.Configuration.Steps);
        _membership = MembershipState.Empty(identity.Epoch, start, request.Folder.Lineage());
        _members = new MemberRegistry(identity, WelcomeSettings.Of(request), _lived);
        _grants = new GrantWriter(request.Configuration, request.Dataset);
        _window = new WorkWindow(request.Configuration, request.Start.Step, request.Cluster.CompareEvery);
        _pace = new GrantPace(time);
        _ranges = new RangeControl(time);
        _losses = new LossReports(observer, time);
        _standstill = new Standstill(observer, time);
        _waits = new WaitControl(observer);
        _probes = new JoinProbes(_members);
        _progress = new RunProgress(request, observer, time, _grants);
        _granter = new WorkGranter(_members, _grants, _ledger, server, _progress, _unsent.Enqueue);
    }

    /// <summary>Runs to the end, or to the interruption.</summary>
    /// <param name="events">What happens.</param>
    /// <exception cref="RunFailedException">The run cannot go on; every worker has been told.</exception>
    public async Task<RunResult> RunAsync(ChannelReader<ClusterEvent> events)
    {
        await foreach (var clusterEvent in events.ReadAllAsync())
        {
            Handle(clusterEvent);
            if (_progress.DropDamaged())
                AskAgain("a state that was to be saved is not the one that the workers have agreed on");
            await _progress.SaveAsync(_ledger.IsEmpty);
            if (_progress.SavedPosition > _membership.Saved)
                Apply(new StateSaved(_progress.SavedPosition));
            if (_failure.Exists)
                FailWhenGathered();
            else if (_dismissedAt is null)
                Advance();
            if (_dismissedAt is { } since && Confirmed(since))
                return await _progress.ResultAsync(_membership.View.Count, _losses.Count, _joined);
        }

        throw new RunFailedException("the coordinator was shut down in the middle of the run");
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        _window.Dispose();
        return ValueTask.CompletedTask;
    }

    // Local workers that do not come are known to have exited; others may never come.
    private static MembershipRules RulesOf(ClusterOptions cluster, bool hasServer)
    {
        var minimum = cluster.MinWorkers ?? Math.Max(1, cluster.Workers);
        return new MembershipRules(
            minimum,
            ExpectsOthers: cluster.Listen is not null,
            CoordinatorHoldsState: hasServer,
            JoinTime: minimum > cluster.Workers ? TimeSpan.FromSeconds(cluster.JoinTimeout) : TimeSpan.MaxValue,
            WaitTime: TimeSpan.FromSeconds(cluster.WaitForWorkers)
        );
    }

    private void Handle(ClusterEvent clusterEvent)
    {
        switch (clusterEvent)
        {
            case MemberJoined joined:
                _members.Welcome(joined.Session);
                break;
            case JoinRefused refused when _refused.Add(refused.Message): // a supervisor may start it again and again
                _observer.Report(new RunWarning(refused.Message));
                break;
            case MessageReceived received:
                Receive(received.Session, received.Message);
                break;
            case MemberGone gone when _members.Remove(gone.Session):
                Lose(gone.Session, gone.Cause, EvidenceWeight.Lost, isDeath: true);
                break;
            case LocalWorkerExited exited:
                Exited(exited);
                break;
            case SnapshotArrived arrived:
                _progress.Arrived(arrived);
                break;
            case ServerCompleted completed:
                Completed(completed);
                break;
            case ServerStopped stopped:
                Apply(new Stopped(MembershipState.Coordinator, stopped.Generation, stopped.Position));
                break;
            case ServerFailed failed:
                Take(failed);
                break;
            case Tick tick:
                _lived.Tick(tick.At);
                CheckSilence();
                CheckWaits();
                if (!_progress.IsInterrupted || _view is not null)
                    Apply(new TimePassed());
                break;
            case Interrupted:
                Stop();
                break;
        }

        _losses.Tell(_membership.Participants.Count);
    }

    private void Receive(MemberSession session, WorkerMessage message)
    {
        if (!_members.Receive(session, message))
            return;
        var generation = ViewGeneration.From(message.Generation);
        switch (message.BodyCase)
        {
            case WorkerMessage.BodyOneofCase.Ready:
                _joined += _progress.HasStarted ? 1 : 0;
                _observer.Report(new WorkerJoined(session.FullName, session.Address, _members.ReadyCount, session.Join.ProcessId));
                Apply(new Arrived(session.Worker, Brings(session, message.Ready), message.Ready.Lineage, message.Ready.Members));
                break;
            case WorkerMessage.BodyOneofCase.Leave when session.IsReady:
                Apply(new Leaving(session.Worker, IsUrgent: _pace.TimeFor(_window.LastTrained - _progress.LastStep) > LeavingTime));
                break;
            case WorkerMessage.BodyOneofCase.Leave:
                _members.Dismiss(session);
                break;
            case WorkerMessage.BodyOneofCase.ViewOpened:
                if (_view?.Generation == generation)
                    _progress.Opened(session.Worker, _view, message.ViewOpened);
                Apply(new Opened(session.Worker, generation));
                break;
            case WorkerMessage.BodyOneofCase.Reports:
                foreach (var report in message.Reports.Reports)
                    Report(session, report);
                break;
            case WorkerMessage.BodyOneofCase.Frozen:
                Apply(new Stopped(session.Worker, generation, message.Frozen.HoldsState ? (long)message.Frozen.Position : null));
                break;
            case WorkerMessage.BodyOneofCase.ProbeResult:
                Apply(JoinProbes.Of(session, message.ProbeResult));
                break;
            case WorkerMessage.BodyOneofCase.SnapshotLost:
                AskAgain($"{session.Name} could not send its state ({message.SnapshotLost.Reason})");
                break;
            case WorkerMessage.BodyOneofCase.Failure:
                Take(session, message, generation);
                break;
        }
    }

    private void AskAgain(string cause)
    {
        _observer.Report(new RunWarning($"{cause}; it is asked for again"));
        _window.AskAgain(_progress.SavedStep);
    }

    // A state from an earlier session counts if nothing is missing that was done on the way to it.
    private long? Brings(MemberSession session, Ready ready)
    {
        if (!ready.HoldsState || ready.Lineage != _membership.Lineage || _server is not null)
            return null;
        var position = unchecked((long)ready.Position);
        session.Completed = [.. ready.Completed.Where(report => report.Record.Length == StepRecord.ByteLength)];
        return _progress.CanTakeOver(position, session.Completed.Select(Reports.WorkOf)) ? position : null;
    }

    // What a worker says that cannot go on: with its view, with the run, or at all.
    private void Take(MemberSession session, WorkerMessage message, ViewGeneration generation)
    {
        var evidence = Evidence.Of(session, message);
        if (message.Failure.ByTraining || _view is null)
            Fail(evidence);
        else if (message.Failure.Peer.Length == 0)
            Expel(session, evidence, isDeath: true);
        else if (_members.NumberOf(message.Failure.Peer) is { } peer && (peer != MembershipState.Coordinator || _server is not null))
            Complain(session.Worker, peer, generation, evidence);
        else if (message.Failure.Peer == MemberRegistry.CoordinatorName)
            Expel(session, Evidence.Of(session, message.Failure.Reason, EvidenceWeight.Confessed), isDeath: false);
    }

    private void Complain(int worker, int peer, ViewGeneration generation, Evidence evidence)
    {
        _losses.Add(peer, evidence);
        Apply(new Complained(worker, peer, generation, evidence.Cause));
    }

    private void Take(ServerFailed failed)
    {
        var evidence = Evidence.Of(failed.Exception);
        if (failed.Exception is PeerFailureException peer && _members.NumberOf(peer.Peer) is { } worker)
            Complain(MembershipState.Coordinator, worker, failed.Generation, evidence);
        else if (failed.Exception is not PeerFailureException)
            Fail(evidence);
    }

    private void Report(MemberSession session, StepReport report)
    {
        if (_membership.Freezing is { IsRollBack: true })
            return; // it counts no more
        try
        {
            _ledger.Completed(session.Worker, Reports.WorkOf(report), Reports.FoundBy(report));
            _progress.Reported(report);
            if (report.Work == Work.Train)
                _ranges.Observe(session.Worker, Reports.Microbatches(report), Reports.ComputeTime(report));
            Record();
        }
        catch (InvalidDataException exception)
        {
            Fail(Evidence.Of(session, exception.Message, EvidenceWeight.Confessed));
        }
    }

    private void Completed(ServerCompleted completed)
    {
        if (_membership.Freezing is { IsRollBack: true })
            return;
        try
        {
            _ledger.Completed(ParameterServer.Member, completed.Work, completed.Found);
            Record();
        }
        catch (InvalidDataException exception)
        {
            Fail(Evidence.Of(exception));
        }
    }

    private void Record()
    {
        if (!RecordCompleted(_standstill))
            return; // most reports: others of the view have still to report the same
        Settle();
        foreach (var one in _membership.Participants.Values.Where(IsDone).ToList())
            Apply(new Drained(one.Worker));
    }

    // As far as members agree. What is recorded at the end of a view, without a standstill, does not end one.
    private bool RecordCompleted(Standstill? standstill)
    {
        var hasAny = false;
        for (; _dispute is null && _ledger.TryTake() is { } completed; hasAny = true)
        {
            if (completed.IsDisputed)
                _dispute = completed;
            else if (completed.Work.HasPlace)
                _progress.Completed(completed.Work, StepRecord.Read(completed.Camps[0].Found.Span).Sums);
            else if (completed.Camps.Count > 0)
                _progress.Agreed(completed.Work.Step, completed.Camps[0].Found);
            if (completed is { IsDisputed: false, Work.Kind: WorkKind.Train })
                standstill?.Completed(completed.Work.Step, _membership.View.Count);
        }

        return hasAny;
    }

    private void Settle()
    {
        if (_dispute is not { } dispute)
            return;
        _dispute = null;
        Apply(new Disagreed([.. dispute.Camps.Select(camp => camp.Members)], DisputeText.CauseOf(dispute, NameOf)));
    }

    private string NameOf(int worker) =>
        worker == MembershipState.Coordinator ? MemberRegistry.CoordinatorName : _members.Get(worker).FullName;

    private bool IsDone(Participant one) => one.Standing == Standing.Draining && !_ledger.HoldsBefore(_view!.FirstStep);

    private void Lose(MemberSession session, string cause, EvidenceWeight weight, bool isDeath)
    {
        var evidence = Evidence.Of(session, cause, weight);
        if (session.IsReady)
            _losses.Lost(session, evidence);
        Apply(new Lost(session.Worker, cause, isDeath, _progress.Position));
    }

    private void Expel(MemberSession session, Evidence evidence, bool isDeath)
    {
        End(session, evidence.Cause, mayReturn: true);
        _losses.Lost(session, evidence);
        Apply(new Lost(session.Worker, evidence.Cause, isDeath, _progress.Position));
    }

    private void Refuse(MemberSession session, string reason)
    {
        session.IsTurnedAway = true;
        _joined -= _progress.HasStarted ? 1 : 0;
        End(session, reason, mayReturn: true);
        _observer.Report(new WorkerLeft(session.FullName, reason, _members.ReadyCount));
    }

    private void End(MemberSession session, string reason, bool mayReturn)
    {
        session.IsExpelled = true;
        _members.Expel(session, reason, mayReturn);
        _members.Remove(session);
        if (session.Join.LocalNumber > 0)
            _locals.Kill(session.Join.LocalNumber, session.Join.ProcessId);
    }

    private void Exited(LocalWorkerExited exited)
    {
        var session = _members.LocalSession(exited.LocalNumber, exited.ProcessId);
        var evidence = session is null
            ? new Evidence(
                $"local worker {exited.LocalNumber} (process {exited.ProcessId})",
                0,
                Phase.Idle,
                exited.Cause,
                EvidenceWeight.Exited
            )
            : Evidence.Of(session, exited.Cause, EvidenceWeight.Exited);
        var wasDismissed = session is { IsDismissed: true, IsExpelled: false };
        if (_failure.Exists || (_view is null && !exited.WasKilled && (!wasDismissed || _request.Cluster.Listen is null)))
        {
            Fail(evidence);
            return;
        }

        if (session is not null && _members.Remove(session))
            Lose(session, exited.Cause, EvidenceWeight.Exited, isDeath: true);
        else if (session is { IsExpelled: false })
            _losses.Add(session.Worker, evidence);
        if (wasDismissed || _dismissedAt is not null)
            return;
        if (_replacement.Ended(exited.LocalNumber, session is { IsReady: true, IsTurnedAway: false }) is { } delay)
            _locals.Replace(exited.LocalNumber, delay);
        else
            GiveUpOn(exited, evidence);
    }

    private void GiveUpOn(LocalWorkerExited exited, Evidence evidence)
    {
        _abandonedLocals++;
        if (_abandonedLocals == _request.Cluster.Workers && _request.Cluster.Listen is null && _membership.View.Count == 0)
        {
            Fail(evidence);
            return;
        }

        _observer.Report(
            new RunWarning(
                $"local worker {exited.LocalNumber} ended {ReplacementPolicy.MostFailures} times before it had joined, and is not started again: {exited.Cause}"
            )
        );
    }

    private void CheckSilence()
    {
        var bound = TimeSpan.FromSeconds(_request.Cluster.SilenceTimeout);
        foreach (var session in _members.Silent(bound))
        {
            var cause = $"silent for {bound.TotalSeconds:0.#} seconds (stopped, overloaded or cut off)";
            Expel(session, Evidence.Of(session, cause, EvidenceWeight.Lost), isDeath: false);
        }
    }

    // A computation that hangs has broken down, and may do so again: a step that it happens in every time is no accident.
    private void CheckWaits()
    {
        if (_failure.Exists || _dismissedAt is not null)
            return;
        foreach (var (worker, cause) in _waits.Check(Situation(), _lived.GetElapsedTime(0)))
        {
            var session = _members.Get(worker);
            Expel(session, Evidence.Of(session, cause, EvidenceWeight.Lost), isDeath: true);
        }
    }

    private RunSituation Situation() =>
        new(
            _membership,
            _rules,
            _members.Sessions.ToDictionary(session => session.Worker, session => MemberActivity.Of(session, _lived)),
            _ledger.Oldest,
            _progress.OldestExpected,
            _request.Cluster.Listen,
            _request.Cluster.HangTimeout > 0 ? TimeSpan.FromSeconds(_request.Cluster.HangTimeout) : null
        );

    private void Advance()
    {
        var ahead = _pace.StepsAhead(_progress.LastStep);
        while (IsReadyToGrant() && _window.Peek(_progress.LastStep, ahead) is { } work)
        {
            if (work.Kind == WorkKind.Train)
                Plan(work.Step);
            if (IsReadyToGrant() && _window.Peek(_progress.LastStep, ahead) == work)
                _granter.Grant(_window.Take(), _view!);
        }

        _granter.Send();
        while (_unsent.TryDequeue(out var session))
        {
            if (!session.HasEnded && !session.IsExpelled)
                Expel(session, Evidence.Of(session, MemberSession.TakesNothing, EvidenceWeight.Complaint), isDeath: false);
        }

        var isOver = _window.IsEmpty && _ledger.IsEmpty && _progress.IsSaved && _membership.Freezing is null;
        if (isOver && (_membership.View.Count > 0 || _progress.IsInterrupted))
        {
            _losses.Tell(_membership.Participants.Count, all: true);
            _members.DismissAll(new Dismissal { Complete = true, Interrupted = _progress.IsInterrupted });
            _dismissedAt = _lived.GetTimestamp();
        }
    }

    // Not before all that was done in the views before is on record: what only those know who leave or may die must not be lost.
    private bool IsReadyToGrant() => _membership.IsRunning && !_ledger.HoldsBefore(_view!.FirstStep);

    // Members may join and leave between two steps; those that leave first finish all that they were granted.
    private void Plan(long nextStep)
    {
        if (_membership.WantsChange)
            Apply(new Boundary(nextStep));
        else
            ShareAnew(nextStep);
    }

    // Stragglers get fewer microbatches; results are unchanged.
    private void ShareAnew(long nextStep)
    {
        var view = _view!;
        foreach (var straggler in _ranges.NewStragglers(view))
            _observer.Report(new Straggling(_members.Get(straggler.Worker).FullName, straggler.Slowness));
        if (_ranges.Next(view, _grants.MostMicrobatches) is not { } shares)
            return;
        _shares = shares;
        Apply(new SharedAnew(nextStep));
        _observer.Report(
            new RangesChanged(
                nextStep,
                _grants.MostMicrobatches,
                [.. view.Workers.Select((worker, rank) => new WorkerRange(_members.Get(worker).Name, shares[rank]))]
            )
        );
    }

    private void Stop()
    {
        if (_window.Cut())
            _progress.Interrupt(_window.LastTrained);
    }

    private void Apply(MembershipEvent happened)
    {
        (_membership, var effects) = MembershipReducer.Apply(_membership, happened, _lived.GetElapsedTime(0), _rules);
        foreach (var effect in effects)
            Do(effect);
        Settle();
    }

    private void Do(MembershipEffect effect)
    {
        switch (effect)
        {
            case FreezeViews freeze:
                _standstill.Begin();
                _members.Freeze(freeze.Workers);
                _server?.Freeze();
                break;
            case GoOnAfter after:
                GoOn(after.Position);
                break;
            case RollBack back:
                GoBack(back);
                break;
            case BeginView begin:
                Enter(begin);
                break;
            case ReleaseWorker release when _members.Find(release.Worker) is { } session:
                _observer.Report(new WorkerLeft(session.FullName, release.Reason, _membership.View.Count));
                _members.Dismiss(session);
                break;
            case ProbeWorker probe:
                _probes.Begin(probe);
                break;
            case TurnAway turned when _members.Find(turned.Worker) is { } session:
                Refuse(session, _probes.Reason(turned));
                break;
            case ExpelWorker expel when _members.Find(expel.Worker) is { } session:
                End(session, expel.Reason, expel.MayReturn);
                _losses.Lost(session, Evidence.Of(session, expel.Reason, EvidenceWeight.Lost));
                break;
            case StopForLack lack:
                _observer.Report(new RunWarning($"{lack.Reason}; the run stops after a last checkpoint, go on with --resume"));
                Stop();
                break;
            case GiveUpRun giveUp:
                GiveUp(giveUp);
                break;
        }
    }

    private void GoOn(long? position)
    {
        _ledger.EndView(position ?? -1);
        RecordCompleted(standstill: null);
        if (position > _progress.Recorded)
            TakeOver(position.Value);
        var reached = _progress.GoOnAfter(position);
        if (position is null)
        {
            _saved?.GoBackTo(_progress.Latest);
            _observer.Report(new WentBack(_progress.Latest.Step));
        }

        GoOnFrom(reached);
    }

    // What was recorded since may be wrong: everybody takes the state that was agreed on, and the folder forgets the rest.
    private void GoBack(RollBack back)
    {
        _request.Folder.WriteLineage(back.Lineage);
        foreach (var worker in _membership.Participants.Keys)
            _members.Get(worker).Completed = [];
        _ledger.EndView(-1);
        var reached = _progress.RollBack();
        _saved?.GoBackTo(_progress.Latest);
        _server?.GoBackTo(_progress.Latest, reached);
        _observer.Report(new RolledBack(_progress.Latest.Step, back.Reason));
        GoOnFrom(reached);
    }

    private void GoOnFrom(long position)
    {
        _window.GoOnAfter(position, _progress.SavedStep);
        if (_window.IsCut)
            _progress.Interrupt(_window.LastTrained);
    }

    private void TakeOver(long position)
    {
        var brought = _membership
            .Participants.Keys.Select(worker => _members.Get(worker).Completed)
            .MaxBy(reports => reports.Count == 0 ? -1 : Reports.WorkOf(reports[^1]).Position)
            ?? [];
        if (!_hasContinued)
            Continue(position);
        foreach (var report in _membership.Participants.Keys.SelectMany(worker => _members.Get(worker).Completed))
            _progress.Reported(report);
        _progress.TakeOver(position, brought.Select(report => (Reports.WorkOf(report), StepRecord.Read(report.Record.Span).Sums)));
    }

    private void Continue(long position)
    {
        _hasContinued = true;
        _request.Folder.ContinueFrom(position);
    }

    private void Enter(BeginView begin)
    {
        if (!_hasContinued)
            Continue(_progress.Position);
        var shares = _shares ?? _ranges.SharesOf(begin.Workers, _grants.MostMicrobatches);
        _shares = null;
        var view = new ClusterView(begin.Generation, _window.LastTrained + 1, begin.Workers, shares);
        if (_view is { } before && !before.Workers.SequenceEqual(view.Workers))
            _standstill.Expect(view.FirstStep);
        _view = view;
        foreach (var worker in begin.Workers)
            _replacement.Joined(_members.Get(worker).Join.LocalNumber);
        _ranges.Enter();
        _progress.Enter(view);
        _progress.ForgetLog();
        _server?.Enter(view);
        _members.Enter(view, _window.Position, _membership.Lineage, begin.Source, begin.Lacking);
        var microbatches = _grants.MostMicrobatches;
        if (view.Workers.Count > Math.Max(microbatches, _mostWorkers))
        {
            _mostWorkers = view.Workers.Count; // told again only when there are more
            _observer.Report(
                new RunWarning(
                    $"{view.Workers.Count} workers share {microbatches} microbatches, so some have nothing to do; "
                        + "use a larger --batch-size, a smaller --microbatch, or fewer workers"
                )
            );
        }
    }

    private void GiveUp(GiveUpRun giveUp)
    {
        if (giveUp.Worker is { } worker && _losses.EvidenceOf(worker) is { } evidence)
        {
            _finding = giveUp.Reason;
            Fail(evidence);
            return;
        }

        _members.DismissAll(new Dismissal { Reason = giveUp.Reason });
        throw new RunFailedException(giveUp.Reason);
    }

    private bool Confirmed(long since)
    {
        var unconfirmed = _members.Unconfirmed(_view).ToList();
        if (unconfirmed.Count > 0 && _lived.GetElapsedTime(since) < ConfirmationTime)
            return false;
        var hashes = _members.Confirmations(_view).Append(_progress.WeightsSha256).Distinct().ToList();
        if (hashes.Count > 1)
        {
            throw new RunFailedException(
                $"the workers end with different weights ({string.Join(", ", hashes.Select(hash => hash[..8]))}): "
                    + "a processor or memory fault, or a defect; keep the run folder and report it"
            );
        }

        if (unconfirmed.Count > 0)
        {
            _observer.Report(
                new RunWarning(
                    $"{string.Join(", ", unconfirmed.Select(session => session.FullName))} did not confirm the weights within {ConfirmationTime.TotalSeconds:0} s "
                        + "(overloaded, hanging or cut off); those that did agree"
                )
            );
        }

        return true;
    }

    private void Fail(Evidence evidence)
    {
        if (_dismissedAt is not null)
            return;
        if (!_failure.Exists)
            _failedAt = _lived.GetTimestamp();
        _failure.Add(evidence);
    }

    private void FailWhenGathered()
    {
        if (_lived.GetElapsedTime(_failedAt) < FailureEvidence.Gathering)
            return;
        var message = _finding is null ? _failure.Message() : $"{_failure.Message()}; {_finding}";
        _members.DismissAll(new Dismissal { Reason = message });
        throw new RunFailedException(message);
    }
}
