using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Data;
using Distributed.Objectives;
using Distributed.Protocol;
using Distributed.Training;
using Google.Protobuf;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>A run's progress: the complete steps, the time that they took, the snapshots, and the result.</summary>
internal sealed class RunProgress
{
    private readonly RunRequest _request;
    private readonly IRunObserver _observer;
    private readonly GrantWriter _grants;
    private readonly TrainingClock _clock;
    private readonly LearningRateSchedule _schedule;
    private readonly Objective _objective;
    private readonly Objective? _heldOutObjective; // null if nothing is held out
    private readonly TransportUse _transport = new();
    private readonly SampleLedger? _ledger;
    private readonly HashSet<int> _opening = [];
    private readonly List<SnapshotArrived> _arrived = [];
    private readonly SortedDictionary<long, int> _expected = []; // steps whose state is on its way, and from whom
    private readonly Dictionary<long, ByteString> _agreed = []; // by step: the hash of the state that all members have found
    private readonly Queue<(long Step, long Samples)> _unsaved = new(); // steps after the newest state that has been handed on
    private Evaluated? _evaluation;
    private TestScore? _heldOut; // of the evaluation that is under way
    private EarlyStopping? _stopping; // null where training goes on to the end
    private BestState? _best; // whose weights are the model, where that is not the last state
    private long _logged; // how far the log goes that an earlier coordinator has left
    private long _samples;

    /// <summary>Begins with the run's start.</summary>
    /// <param name="request">The run.</param>
    /// <param name="observer">Is told what is complete.</param>
    /// <param name="time">The clock.</param>
    /// <param name="grants">Knows the batches.</param>
    public RunProgress(RunRequest request, IRunObserver observer, TimeProvider time, GrantWriter grants)
    {
        _request = request;
        _observer = observer;
        _grants = grants;
        _clock = new TrainingClock(time);
        _schedule = new LearningRateSchedule(request.Configuration.Options.Schedule, request.Configuration.Options.Optimizer.LearningRate);
        _objective = request.Configuration.CreateObjective(request.Dataset);
        _heldOutObjective = request.Configuration.HasHoldout
            ? request.Configuration.CreateObjective(request.Dataset, DataPart.Holdout)
            : null;
        _logged = request.Logged;
        _ledger = request.Cluster.Ledger ? new SampleLedger() : null;
        Latest = request.Start;
        Position = Recorded = request.Position;
        (_stopping, _best) = (request.StoppingAfter(request.Position), request.Best);
    }

    /// <summary>The furthest that the run has ever been, see <see cref="PlannedWork.Position"/>.</summary>
    public long Recorded { get; private set; }

    /// <summary>Where the run is: less than <see cref="Recorded"/> after it had to go back to a state that was saved.</summary>
    public long Position { get; private set; }

    /// <summary>The newest state that has been handed on, or the start.</summary>
    public Checkpoint Latest { get; private set; }

    /// <summary>The position of <see cref="Latest"/>.</summary>
    public long SavedPosition => Math.Min(Recorded, Positions.AfterEvaluation(Latest.Step));

    /// <summary>The newest step whose state has arrived, or the start.</summary>
    public long SavedStep => _arrived.Count > 0 ? Math.Max(Latest.Step, _arrived.Max(arrived => arrived.Checkpoint.Step)) : Latest.Step;

    /// <summary>The last complete step.</summary>
    public long LastStep => Positions.StepAt(Position);

    /// <summary>The step after which the held-out loss has ended the training; null if it has not.</summary>
    public long? StoppedAfter => _stopping is { HasStopped: true } stopped ? stopped.LastStep : null;

    /// <summary>
    /// Whether a step may be trained: not before the evaluation before it has decided whether training goes on, and, if its weights may be
    /// the model, not before they are here, since no worker holds them later.
    /// </summary>
    /// <param name="step">The step.</param>
    public bool MayTrain(long step)
    {
        var evaluated = (step - 1) / _request.Configuration.EvalEvery * _request.Configuration.EvalEvery;
        return _stopping is null
            || evaluated == 0
            || (Recorded >= Positions.AfterEvaluation(evaluated) && (_stopping.BestStep != evaluated || SavedStep >= evaluated));
    }

    /// <summary>Whether the run was stopped early.</summary>
    public bool IsInterrupted { get; private set; }

    /// <summary>Whether every snapshot that was asked for has been handed on.</summary>
    public bool IsSaved => _expected.Count == 0 && !_arrived.Exists(arrived => IsOfRecordedStep(arrived.Checkpoint));

    /// <summary>The oldest snapshot that was asked for and has not arrived, or null.</summary>
    public OpenSnapshot? OldestExpected => _expected.Count > 0 ? new OpenSnapshot(_expected.First().Key, _expected.First().Value) : null;

    /// <summary>The SHA-256 of the latest weights that have arrived.</summary>
    public string WeightsSha256 => WeightsHash.Compute(Latest.Weights.Span);

    /// <summary>A view begins.</summary>
    public void Enter(ClusterView view)
    {
        if (HasStarted)
            return;
        _opening.Clear();
        _opening.UnionWith(view.Workers);
    }

    /// <summary>A member has reached the others; with the last one of the first view, training begins.</summary>
    public void Opened(int worker, ClusterView view, ViewOpened opened)
    {
        if (_transport.Add($"worker {worker}", opened) is { } fallback)
            _observer.Report(new RunWarning(fallback));
        if (HasStarted || !_opening.Remove(worker) || _opening.Count > 0)
            return;
        HasStarted = true;
        _observer.Report(new RunStarted(LastStep + 1, _request.Configuration.Steps, view.Workers.Count, _transport.Name));
        _clock.Start();
    }

    /// <summary>A member has reported a piece of work.</summary>
    public void Reported(StepReport report) => _ledger?.Take(report);

    /// <summary>Every member has reported a piece of work. What is done once more, after the run had to go back, is not told again.</summary>
    public void Completed(PlannedWork work, BatchSums sums)
    {
        Position = work.Position;
        if (Position <= Recorded)
            return;
        Recorded = Position;
        if (work.Kind == WorkKind.Train)
            Trained(work.Step, sums);
        else if (work.Kind == WorkKind.EvaluateHoldout)
            _heldOut = TestScore.Of(_heldOutObjective!, sums);
        else
            Evaluated(work.Step, sums);
    }

    /// <summary>
    /// The run goes on after a position that it had reached before this coordinator took it over. What has been logged of it is kept, and
    /// what has not been is taken from those who did it.
    /// </summary>
    /// <param name="position">The position.</param>
    /// <param name="records">Records of the last pieces of work, some of them known already.</param>
    public void TakeOver(long position, IEnumerable<(PlannedWork Work, BatchSums Sums)> records)
    {
        if (position <= Recorded)
            return;
        Position = Recorded = LoggedUpTo(position);
        _stopping = _request.StoppingAfter(Recorded);
        foreach (var (work, sums) in records.Where(record => record.Work.Position <= position).OrderBy(record => record.Work.Position))
            Completed(work, sums);
    }

    /// <summary>Whether the run could go on after a position, given the records of those who have done the work.</summary>
    /// <param name="position">The position.</param>
    /// <param name="records">What they bring.</param>
    public bool CanTakeOver(long position, IReadOnlyCollection<(PlannedWork Work, BatchSums Sums)> records)
    {
        var known = records.Select(record => record.Work).ToHashSet();
        var logged = LoggedUpTo(position);
        return WorkPlan
                .After(_request.Configuration, logged, saved: long.MaxValue, compareEvery: 0)
                .TakeWhile(work => work.Position <= position)
                .All(known.Contains) && IsBestKnown(position, logged, records);
    }

    // An evaluation is logged as a whole, the held-out part with the test set: where only the one is done, its record must be brought.
    private long LoggedUpTo(long position)
    {
        var logged = Math.Min(position, _logged);
        var step = Positions.StepAt(logged);
        return Math.Max(Recorded, logged == Positions.AfterHoldout(step) ? Positions.After(step) : logged);
    }

    // Those that were ahead of what was saved no longer hold the weights of an evaluation before.
    private bool IsBestKnown(long position, long logged, IReadOnlyCollection<(PlannedWork Work, BatchSums Sums)> records)
    {
        if (_request.StoppingAfter(logged) is not { } stopping)
            return true;
        var added = records
            .Where(record => record.Work.Kind == WorkKind.EvaluateHoldout)
            .Where(record =>
                Positions.AfterEvaluation(record.Work.Step) > logged && Positions.AfterEvaluation(record.Work.Step) <= position
            )
            .DistinctBy(record => record.Work.Step)
            .OrderBy(record => record.Work.Step);
        foreach (var (work, sums) in added)
            stopping = stopping.After(work.Step, TestScore.Of(_heldOutObjective!, sums).Loss);
        return stopping.BestStep is not { } best || best <= _request.Start.Step || best == Positions.StepAt(position);
    }

    /// <summary>From here on the log holds what this coordinator has recorded, and no more.</summary>
    public void ForgetLog() => _logged = 0;

    /// <summary>The run goes on after a position; snapshots that were on their way, or will not be compared any more, are lost.</summary>
    /// <param name="position">The position.</param>
    public void GoOnAfter(long position)
    {
        _expected.Clear();
        _arrived.RemoveAll(arrived => !_agreed.ContainsKey(arrived.Checkpoint.Step));
        Position = position;
        _ledger?.DropAfter(LastStep);
    }

    /// <summary>Nobody has a later state than <see cref="Latest"/>: the run goes on after that.</summary>
    /// <returns>Its position.</returns>
    public long GoBack()
    {
        _arrived.RemoveAll(arrived => !IsEvaluated(arrived.Checkpoint)); // they are asked for again
        GoOnAfter(SavedPosition);
        _observer.Report(new WentBack(Latest.Step));
        return Position;
    }

    /// <summary>What was recorded after <see cref="Latest"/> may be wrong: it is forgotten, and told anew when it is done again.</summary>
    /// <param name="reason">Why.</param>
    /// <returns>The position that the run goes on after.</returns>
    public long RollBack(string reason)
    {
        Recorded = SavedPosition;
        _samples -= _unsaved.Sum(step => step.Samples);
        _unsaved.Clear();
        _arrived.Clear();
        _agreed.Clear();
        _stopping = _stopping?.UpTo(Latest.Step);
        GoOnAfter(SavedPosition);
        _observer.Report(new RolledBack(Latest.Step, reason));
        return Position;
    }

    /// <summary>All members hold the same state after a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="hash">The state's hash.</param>
    public void Agreed(long step, ByteString hash) => _agreed[step] = hash;

    /// <summary>Drops snapshots that are not what the members have agreed on: they have been changed since.</summary>
    /// <returns>Whether there were any.</returns>
    public bool DropDamaged() =>
        _arrived.RemoveAll(arrived => _agreed.TryGetValue(arrived.Checkpoint.Step, out var hash) && !hash.Equals(arrived.Hash)) > 0;

    /// <summary>A snapshot has been asked for.</summary>
    /// <param name="step">The step whose state it is.</param>
    /// <param name="worker">Who sends it.</param>
    public void ExpectSnapshot(long step, int worker) => _expected[step] = worker;

    /// <summary>A snapshot has arrived.</summary>
    public void Arrived(SnapshotArrived arrived)
    {
        foreach (var step in _expected.Keys.Where(step => step <= arrived.Checkpoint.Step).ToList())
            _expected.Remove(step);
        if (arrived.Checkpoint.Step > SavedStep)
            _arrived.Add(arrived);
    }

    /// <summary>The run stops early, after the steps that have been granted.</summary>
    public void Interrupt(long lastGranted)
    {
        IsInterrupted = true;
        if (lastGranted != _request.Start.Step)
            return;
        _agreed[lastGranted] = ByteString.Empty;
        _arrived.Add(new SnapshotArrived(_request.Start, ByteString.Empty));
    }

    /// <summary>
    /// Reports the snapshots that have arrived, once the reports of the steps before them are complete, and the members have agreed on them.
    /// </summary>
    /// <param name="isAllReported">Whether nothing that was granted is still to be reported.</param>
    public async Task SaveAsync(bool isAllReported)
    {
        while (_arrived.Find(arrived => IsComplete(arrived.Checkpoint, isAllReported)) is { } complete)
        {
            _arrived.Remove(complete);
            Latest = complete.Checkpoint;
            NoteBest();
            while (_unsaved.TryPeek(out var step) && step.Step <= Latest.Step)
                _unsaved.Dequeue();
            foreach (var step in _agreed.Keys.Where(step => step < Latest.Step).ToList())
                _agreed.Remove(step);
            _observer.Report(new SnapshotTaken(Latest));
            await _observer.SettleAsync(complete: false);
        }

        await _observer.SettleAsync(complete: false);
    }

    /// <summary>Whether training has begun.</summary>
    public bool HasStarted { get; private set; }

    /// <summary>How the run has ended.</summary>
    /// <param name="workers">Workers at the end.</param>
    /// <param name="lost">Workers that were lost.</param>
    /// <param name="joined">Workers that joined after the first step.</param>
    public async Task<RunResult> ResultAsync(int workers, int lost, int joined)
    {
        await _observer.SettleAsync(complete: true);
        var evaluation = IsInterrupted ? null : _best?.Evaluation ?? _evaluation;
        return new RunResult(
            Latest.Step,
            (_best?.Checkpoint ?? Latest).Weights,
            evaluation?.TestLoss,
            evaluation?.Metrics ?? [],
            _samples,
            _clock.Elapsed.TotalSeconds,
            workers,
            _transport.Name,
            IsInterrupted
        )
        {
            HeldOut = evaluation?.HeldOut,
            StopReason = _stopping?.Reason,
            WorkersLost = lost,
            WorkersJoined = joined,
        };
    }

    private void Trained(long step, BatchSums sums)
    {
        _samples += sums.Samples;
        _unsaved.Enqueue((step, sums.Samples));
        if (_request.Configuration.IsEvaluated(step))
            _clock.Stop();
        var epoch = _grants.Epoch(step);
        if (_ledger is not null)
            _observer.Report(_ledger.Close(step, epoch, _grants.BatchOf(new(WorkKind.Train, step)).Indices.Span));
        _observer.Report(
            new StepCompleted(step, epoch, sums.MeanLoss, _schedule.At(step, _request.Configuration.Steps), (int)sums.Samples)
        );
    }

    private void Evaluated(long step, BatchSums sums)
    {
        _evaluation = Runs.Evaluated.Of(step, TestScore.Of(_objective, sums), _heldOut);
        _stopping = _stopping?.After(step, _heldOut!.Loss);
        NoteBest();
        _observer.Report(_evaluation);
        if (step < _request.Configuration.Steps && StoppedAfter is null)
            _clock.Start();
    }

    // A state may arrive before its step is recorded, and after all who did the step were lost: then it waits until the step is done again.
    private bool IsOfRecordedStep(Checkpoint checkpoint) => Positions.After(checkpoint.Step) <= Recorded;

    // The start is saved already; at the end of a run it may be interrupted before it is evaluated once more.
    private bool IsComplete(Checkpoint checkpoint, bool isAllReported) =>
        IsOfRecordedStep(checkpoint)
        && _agreed.ContainsKey(checkpoint.Step)
        && (IsEvaluated(checkpoint) || (isAllReported && checkpoint.Step == _request.Start.Step));

    private bool IsEvaluated(Checkpoint checkpoint) =>
        Recorded >= Positions.AfterEvaluation(checkpoint.Step) || !_request.Configuration.IsEvaluated(checkpoint.Step);

    private void NoteBest()
    {
        if (_stopping?.BestStep != Latest.Step)
            return;
        var evaluation = _evaluation?.Step == Latest.Step ? _evaluation : _request.EvaluationAfter(Latest.Step);
        if (evaluation is not null)
            _best = new BestState(Latest, evaluation);
    }
}
