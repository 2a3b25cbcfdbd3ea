using Distributed.Checkpoints;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Objectives;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>A run's progress: the complete steps, the time that they took, the snapshots, and the result.</summary>
internal sealed class RunProgress
{
    private readonly RunRequest _request;
    private readonly IRunObserver _observer;
    private readonly GrantWriter _grants;
    private readonly TrainingClock _clock;
    private readonly LearningRateSchedule _schedule;
    private readonly TransportUse _transport = new();
    private readonly HashSet<int> _opening = [];
    private readonly Queue<Checkpoint> _arrived = new();
    private Checkpoint _latest;
    private Evaluated? _evaluation;
    private bool _started;
    private long _samples;
    private int _expected;

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
        _latest = request.Start;
        LastStep = request.Start.Step;
    }

    /// <summary>The last complete step.</summary>
    public long LastStep { get; private set; }

    /// <summary>Whether the run was stopped early.</summary>
    public bool IsInterrupted { get; private set; }

    /// <summary>Whether every snapshot that was asked for has been handed on.</summary>
    public bool IsSaved => _expected == 0;

    /// <summary>The SHA-256 of the latest weights that have arrived.</summary>
    public string WeightsSha256 => WeightsHash.Compute(_latest.Weights.Span);

    /// <summary>A view begins.</summary>
    public void Enter(ClusterView view)
    {
        if (!_started)
            _opening.UnionWith(view.Workers);
    }

    /// <summary>A member has reached the others; with the last one of the first view, training begins.</summary>
    public void Opened(int worker, ClusterView view, ViewOpened opened)
    {
        if (_transport.Add($"worker {worker}", opened) is { } fallback)
            _observer.Report(new RunWarning(fallback));
        if (_started || !_opening.Remove(worker) || _opening.Count > 0)
            return;
        _started = true;
        _observer.Report(new RunStarted(LastStep + 1, _request.Configuration.Steps, view.Workers.Count, _transport.Name));
        _clock.Start();
    }

    /// <summary>Every member has reported a piece of work.</summary>
    public void Completed(PlannedWork work, BatchSums sums)
    {
        if (work.Kind == WorkKind.Train)
            Trained(work.Step, sums);
        else
            Evaluated(work.Step, sums);
    }

    /// <summary>A snapshot has been asked for.</summary>
    public void ExpectSnapshot() => _expected++;

    /// <summary>A snapshot has arrived.</summary>
    public void Arrived(Checkpoint checkpoint) => _arrived.Enqueue(checkpoint);

    /// <summary>The run stops early, after the steps that have been granted.</summary>
    public void Interrupt(long lastGranted)
    {
        IsInterrupted = true;
        if (lastGranted == _request.Start.Step)
        {
            _expected++;
            _arrived.Enqueue(_request.Start);
        }
    }

    /// <summary>Reports the snapshots that have arrived, once the reports of the steps before them are complete.</summary>
    /// <param name="isAllReported">Whether nothing that was granted is still to be reported.</param>
    public async Task SaveAsync(bool isAllReported)
    {
        while (
            _arrived.TryPeek(out var checkpoint)
            && (checkpoint.Step < LastStep || (checkpoint.Step == LastStep && IsEvaluated(checkpoint.Step, isAllReported)))
        )
        {
            _latest = _arrived.Dequeue();
            _observer.Report(new SnapshotTaken(_latest));
            await _observer.SettleAsync(complete: false);
            _expected--;
        }

        await _observer.SettleAsync(complete: false);
    }

    /// <summary>How the run has ended.</summary>
    /// <param name="workers">Workers at the end.</param>
    public async Task<RunResult> ResultAsync(int workers)
    {
        await _observer.SettleAsync(complete: true);
        var evaluation = IsInterrupted ? null : _evaluation;
        return new RunResult(
            _latest.Step,
            _latest.Weights,
            evaluation?.TestLoss,
            evaluation?.Metrics ?? [],
            _samples,
            _clock.Elapsed.TotalSeconds,
            workers,
            _transport.Name,
            IsInterrupted
        );
    }

    private void Trained(long step, BatchSums sums)
    {
        LastStep = step;
        _samples += sums.Samples;
        if (step % _request.Configuration.EvalEvery == 0 || step == _request.Configuration.Steps)
            _clock.Stop();
        _observer.Report(
            new StepCompleted(step, _grants.Epoch(step), sums.MeanLoss, _schedule.At(step, _request.Configuration.Steps), (int)sums.Samples)
        );
    }

    private void Evaluated(long step, BatchSums sums)
    {
        _evaluation = Runs.Evaluated.Of(step, _request.Configuration.CreateObjective(_request.Network), sums);
        _observer.Report(_evaluation);
        if (step < _request.Configuration.Steps)
            _clock.Start();
    }

    private bool IsEvaluated(long step, bool isAllReported) =>
        isAllReported
        || _evaluation?.Step == step
        || !(step % _request.Configuration.EvalEvery == 0 || step == _request.Configuration.Steps);
}
