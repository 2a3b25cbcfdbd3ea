using System.Threading.Channels;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>
/// The single control loop of a run: handles events one at a time, forms views, grants work, and combines the workers'
/// reports. It computes nothing and waits only for the disk.
/// </summary>
internal sealed class RunController : IAsyncDisposable
{
    /// <summary>How long workers that have been told that the run is complete may take to confirm it.</summary>
    private static readonly TimeSpan ConfirmationTime = TimeSpan.FromSeconds(10);

    private readonly RunRequest _request;
    private readonly IRunObserver _observer;
    private readonly LivedTime _lived;
    private readonly ParameterServer? _server;
    private readonly MemberRegistry _members;
    private readonly MembershipPolicy _policy;
    private readonly GrantWriter _grants;
    private readonly WorkWindow _window;
    private readonly GrantPace _pace;
    private readonly RangeControl _ranges;
    private readonly WorkGranter _granter;
    private readonly StepLedger _ledger = new();
    private readonly FailureEvidence _failure = new();
    private readonly RunProgress _progress;
    private readonly uint _epoch;
    private ClusterView? _view;
    private long _failedAt;
    private long? _dismissedAt;

    /// <summary>Prepares a run.</summary>
    /// <param name="request">The run.</param>
    /// <param name="observer">Receives the run's events.</param>
    /// <param name="time">The clock.</param>
    /// <param name="identity">The run's identity and this coordinator's epoch.</param>
    /// <param name="server">The parameter server, or null where the workers own the slices.</param>
    public RunController(RunRequest request, IRunObserver observer, TimeProvider time, RunIdentity identity, ParameterServer? server)
    {
        _request = request;
        _observer = observer;
        _lived = new LivedTime(time);
        _server = server;
        _epoch = identity.Epoch;
        _policy = new MembershipPolicy(
            request.Cluster.MinWorkers ?? Math.Max(1, request.Cluster.Workers),
            request.Cluster.Listen is not null
        );
        _members = new MemberRegistry(identity, WelcomeSettings.Of(request), _lived);
        _grants = new GrantWriter(request.Configuration, request.Dataset);
        _window = new WorkWindow(request.Configuration, request.Start.Step);
        _pace = new GrantPace(time);
        _ranges = new RangeControl(time);
        _progress = new RunProgress(request, observer, time, _grants);
        _granter = new WorkGranter(_members, _grants, _ledger, server, _progress, session =>
            Fail(Evidence.Of(session, MemberSession.TakesNothing, EvidenceWeight.Complaint))
        );
    }

    /// <summary>Runs to the end, or to the interruption.</summary>
    /// <param name="events">What happens.</param>
    /// <exception cref="RunFailedException">The run cannot go on; every worker has been told.</exception>
    public async Task<RunResult> RunAsync(ChannelReader<ClusterEvent> events)
    {
        await foreach (var clusterEvent in events.ReadAllAsync())
        {
            Handle(clusterEvent);
            await _progress.SaveAsync(_ledger.IsEmpty);
            if (_failure.Exists)
            {
                FailWhenGathered();
            }
            else if (_dismissedAt is { } since)
            {
                if (Confirmed(since))
                    return await _progress.ResultAsync(_view?.Workers.Count ?? 0);
            }
            else
            {
                Advance();
            }
        }

        throw new RunFailedException("the coordinator was shut down in the middle of the run");
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        _window.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Handle(ClusterEvent clusterEvent)
    {
        switch (clusterEvent)
        {
            case MemberJoined joined:
                _members.Welcome(joined.Session);
                break;
            case MessageReceived received:
                Receive(received.Session, received.Message);
                break;
            case MemberGone gone:
                Lose(gone);
                break;
            case LocalWorkerExited exited:
                Lose(exited);
                break;
            case SnapshotArrived arrived:
                _progress.Arrived(arrived.Checkpoint);
                break;
            case ServerCompleted completed:
                Completed(completed);
                break;
            case ServerFailed failed:
                Fail(Evidence.Of(failed.Exception));
                break;
            case Tick tick:
                _lived.Tick(tick.At);
                CheckSilence();
                CheckArrivals();
                break;
            case Interrupted:
                Stop();
                break;
        }
    }

    private void Receive(MemberSession session, WorkerMessage message)
    {
        if (!_members.Receive(session, message))
            return;
        switch (message.BodyCase)
        {
            case WorkerMessage.BodyOneofCase.Ready:
                _observer.Report(new WorkerJoined(session.FullName, session.Address, _members.ReadyCount, session.Join.ProcessId));
                break;
            case WorkerMessage.BodyOneofCase.Leave when _view is null || _view.RankOf(session.Worker) < 0:
                _members.Dismiss(session); // it was granted nothing
                break;
            case WorkerMessage.BodyOneofCase.ViewOpened:
                _progress.Opened(session.Worker, _view!, message.ViewOpened);
                break;
            case WorkerMessage.BodyOneofCase.Reports:
                foreach (var report in message.Reports.Reports)
                    Report(session, report);
                break;
            case WorkerMessage.BodyOneofCase.Failure:
                Fail(Evidence.Of(session, message));
                break;
        }
    }

    private void Report(MemberSession session, StepReport report)
    {
        try
        {
            _ledger.Completed(session.Worker, Reports.WorkOf(report), Reports.RecordOf(report));
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
        try
        {
            _ledger.Completed(ParameterServer.Member, completed.Work, completed.Record);
            Record();
        }
        catch (InvalidDataException exception)
        {
            Fail(Evidence.Of(exception));
        }
    }

    private void Record()
    {
        while (_ledger.TryRecord(out var work, out var record))
            _progress.Completed(work, record.Sums);
    }

    private void Lose(MemberGone gone)
    {
        _members.Remove(gone.Session);
        if (!gone.Session.IsDismissed || _ledger.Awaits(gone.Session.Worker))
            Lose(gone.Session, gone.Cause);
    }

    // Unsolicited workers do not block the run before they are members.
    private void Lose(MemberSession session, string cause)
    {
        if (session.Join.LocalNumber > 0 || _ledger.Awaits(session.Worker) || _view?.RankOf(session.Worker) >= 0)
        {
            Fail(Evidence.Of(session, cause, EvidenceWeight.Lost));
            return;
        }

        _members.Dismiss(session, cause);
        _observer.Report(new WorkerLeft(session.FullName, cause, _members.ReadyCount));
    }

    // Before the first view, a worker that left in order also counts as missing, unless another may join in its place.
    private void Lose(LocalWorkerExited exited)
    {
        var session = _members.FindLocal(exited.LocalNumber);
        if (session is null)
        {
            Fail(
                new Evidence(
                    $"local worker {exited.LocalNumber} (process {exited.ProcessId})",
                    0,
                    Phase.Idle,
                    exited.Cause,
                    EvidenceWeight.Exited
                )
            );
        }
        else if (!session.IsDismissed || (_view is null && _request.Cluster.Listen is null))
        {
            Fail(Evidence.Of(session, exited.Cause, EvidenceWeight.Exited));
        }
    }

    private void CheckSilence()
    {
        // One that is leaving still has to do what it was granted: the others wait for its part.
        foreach (var session in _members.Silent().Where(session => !session.IsDismissed || _ledger.Awaits(session.Worker)))
            Lose(session, $"silent for {WireLimits.HeartbeatTimeout.TotalSeconds:0} seconds (stopped, overloaded or cut off)");
    }

    // Local workers that do not come are known to have exited; others may never come.
    private void CheckArrivals()
    {
        var cluster = _request.Cluster;
        if (_view is not null || _progress.IsInterrupted || _policy.MinimumWorkers <= cluster.Workers)
            return;
        if (_lived.GetElapsedTime(0) < TimeSpan.FromSeconds(cluster.JoinTimeout))
            return;
        var missing = $"{_members.ReadyCount} of {_policy.MinimumWorkers} workers have joined within {cluster.JoinTimeout} seconds";
        _members.DismissAll(new Dismissal { Reason = missing });
        throw new RunFailedException($"{missing}; start them with --coordinator, or set --min-workers or --join-timeout");
    }

    private void Advance()
    {
        if (_view is null && !_progress.IsInterrupted)
            FormFirstView();
        var ahead = _pace.StepsAhead(_progress.LastStep);
        while (_view is not null && _window.Peek(_progress.LastStep, ahead) is { } work)
        {
            if (work.Kind == WorkKind.Train && !ChangeView(work.Step))
                break;
            _granter.Grant(_window.Take(), _view!);
        }

        _granter.Send();
        if (_window.IsEmpty && (_view is not null || _progress.IsInterrupted) && _ledger.IsEmpty && _progress.IsSaved)
        {
            _members.DismissAll(new Dismissal { Complete = true, Interrupted = _progress.IsInterrupted });
            _dismissedAt = _lived.GetTimestamp();
        }
    }

    private void Stop()
    {
        if (_window.Cut())
            _progress.Interrupt(_window.LastTrained);
    }

    private void FormFirstView()
    {
        var decision = _policy.First(_members.Ready(), _members.SinceLastArrival);
        if (decision.Workers is { } workers)
            Enter(new ClusterView(new(_epoch, 1), _window.LastTrained + 1, workers, Shares.Equal(workers.Count)), previous: null);
    }

    // Members may join and leave between two steps; those that leave first finish all that they were granted.
    private bool ChangeView(long nextStep)
    {
        var decision = MembershipPolicy.Next(_view!, _members.Ready());
        if (decision.Workers is not { } workers)
        {
            BalanceRanges(nextStep);
            return true;
        }

        if (workers.Count == 0)
        {
            StopForLack();
            return false;
        }

        var previous = _view!;
        Enter(previous.Next(nextStep, workers, _ranges.SharesOf(workers, _grants.MostMicrobatches)), previous);
        foreach (var session in previous.Workers.Except(workers).Select(_members.Get))
        {
            _observer.Report(new WorkerLeft(session.FullName, "it was asked to leave", workers.Count));
            _members.Dismiss(session);
        }

        return true;
    }

    // Stragglers get fewer microbatches; results are unchanged.
    private void BalanceRanges(long nextStep)
    {
        var view = _view!;
        foreach (var straggler in _ranges.NewStragglers(view))
            _observer.Report(new Straggling(_members.Get(straggler.Worker).FullName, straggler.Slowness));
        if (_ranges.Next(view, _grants.MostMicrobatches) is not { } shares)
            return;
        Enter(view.Next(nextStep, view.Workers, shares), view);
        _observer.Report(
            new RangesChanged(
                nextStep,
                _grants.MostMicrobatches,
                [.. view.Workers.Select((worker, rank) => new WorkerRange(_members.Get(worker).Name, shares[rank]))]
            )
        );
    }

    // The last worker wants to leave: its state is saved first, and the run can be resumed.
    private void StopForLack()
    {
        _observer.Report(new RunWarning("every worker has asked to leave; the run stops after a last checkpoint, go on with --resume"));
        Stop();
        while (!_window.IsEmpty)
            _granter.Grant(_window.Take(), _view!);
    }

    private void Enter(ClusterView view, ClusterView? previous)
    {
        _view = view;
        _ranges.Enter();
        _progress.Enter(view);
        _server?.Enter(view);
        _members.Enter(view, previous, coordinatorHoldsState: _server is not null);
        var microbatches = _grants.MostMicrobatches;
        if (view.Workers.Count > microbatches)
        {
            _observer.Report(
                new RunWarning(
                    $"{view.Workers.Count} workers share {microbatches} microbatches, so some have nothing to do; "
                        + "use a larger --batch-size, a smaller --microbatch, or fewer workers"
                )
            );
        }
    }

    private bool Confirmed(long since)
    {
        if (_lived.GetElapsedTime(since) < ConfirmationTime && !_members.AllConfirmed(_view))
            return false;
        var hashes = _members.Confirmations(_view).Append(_progress.WeightsSha256).Distinct().ToList();
        return hashes.Count <= 1
            ? true
            : throw new RunFailedException(
                $"the workers end with different weights ({string.Join(", ", hashes.Select(hash => hash[..8]))}): "
                    + "a processor or memory fault, or a defect; keep the run folder and report it"
            );
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
        _members.DismissAll(new Dismissal { Reason = _failure.Message() });
        throw new RunFailedException(_failure.Message());
    }
}
