using System.Diagnostics;
using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Data;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>One run inside this process, from its start state to its end.</summary>
internal sealed class InProcessSession : IDisposable
{
    private const string Transport = "none";
    private const string Name = "this process";

    private readonly RunConfiguration _configuration;
    private readonly IRunObserver _observer;
    private readonly TimeProvider _time;
    private readonly RunRequest _request;
    private readonly Objective _objective;
    private readonly Objective? _heldOutObjective; // null if nothing is held out
    private readonly BatchPlan _batches;
    private readonly LocalTrainer _trainer;
    private readonly IReadOnlyList<string> _momentNames;
    private readonly bool _keepsLedger;
    private readonly TimeMeter _meter;
    private TimeSpan _trained;
    private long _samples;
    private Evaluated? _evaluation;
    private EarlyStopping? _stopping; // null where training goes on to the end
    private BestState? _best; // whose weights are the model, where that is not the last state
    private long _saved;

    internal InProcessSession(RunRequest request, IRunObserver observer, TimeProvider time)
    {
        _request = request;
        _configuration = request.Configuration;
        (_stopping, _best, _saved) = (request.StoppingAfter(request.Position), request.Best, request.Start.Step);
        if (_configuration.HasHoldout)
            _heldOutObjective = _configuration.CreateObjective(request.Dataset, DataPart.Holdout);
        _observer = observer;
        _time = time;
        _meter = new TimeMeter(time);
        _keepsLedger = request.Cluster.Ledger;
        _momentNames = _configuration.Options.Optimizer.CreateOptimizer().MomentNames;
        var settings = request.Settings;
        _objective = settings.Objective;
        _batches = _configuration.Batches(request.Dataset.Train.Count);
        _trainer = new LocalTrainer(settings, request.Dataset, _batches, request.Cluster.ResolvedThreads);
        _trainer.State.Restore(request.Start);
        _trainer.Timeline.KeepsSpans = request.Cluster.Trace;
    }

    private bool IsAtEnd => Step == _configuration.Steps || _stopping is { HasStopped: true };

    private long Step => _trainer.State.Step;

    internal async Task<RunResult> RunAsync(CancellationToken interrupt)
    {
        _observer.Report(new RunStarted(Step + 1, _configuration.Steps, Workers: 0, Transport));
        if (_configuration.IsEvaluated(Step) && _request.Position < Positions.AfterEvaluation(Step))
            Evaluate();
        while (!IsAtEnd && !interrupt.IsCancellationRequested)
        {
            TrainStep();
            if (_configuration.IsEvaluated(Step))
                Evaluate();
            if (_configuration.IsSaved(Step))
                Save();
            await _observer.SettleAsync(complete: false);
        }

        TellTimes(isLast: true);
        if (_saved != Step)
            Save();
        await _observer.SettleAsync(complete: true);
        return Result(interrupted: !IsAtEnd);
    }

    public void Dispose() => _trainer.Dispose();

    private void TrainStep()
    {
        var start = _time.GetTimestamp();
        var sums = _trainer.Step();
        _trained += _time.GetElapsedTime(start);
        _samples += sums.Samples;
        if (_keepsLedger)
            _observer.Report(new SamplesUsed(Step, _batches.Epoch(Step), [.. _trainer.Decoded], []));
        _observer.Report(new StepCompleted(Step, _batches.Epoch(Step), sums.MeanLoss, _trainer.LearningRate(Step), (int)sums.Samples));
        _meter.Add(member: 0, sums.Samples, _trainer.Timeline.Of(StepPart.Compute), _trainer.Timeline.Of(StepPart.Update));
        Trace(isTraining: true);
        TellTimes(isLast: false);
    }

    private void Trace(bool isTraining)
    {
        var timeline = _trainer.Timeline;
        if (timeline.KeepsSpans)
            _observer.Report(new StepTimed(0, Name, isTraining, Step, Stopwatch.GetElapsedTime(0, timeline.Began), [.. timeline.Spans]));
    }

    private void TellTimes(bool isLast)
    {
        if (_meter.Next(Step, [new MeteredMember(0, Name, _batches.MostMicrobatches)], isLast) is { } measured)
            _observer.Report(measured);
    }

    private void Evaluate()
    {
        var heldOut = _heldOutObjective is null ? null : TestScore.Of(_heldOutObjective, _trainer.Evaluate(DataPart.Holdout));
        _evaluation = Evaluated.Of(Step, TestScore.Of(_objective, _trainer.Evaluate(DataPart.Test)), heldOut);
        Trace(isTraining: false);
        _stopping = _stopping?.After(Step, heldOut!.Loss);
        _observer.Report(_evaluation);
        if (_stopping?.BestStep == Step)
            _best = new BestState(State(), _evaluation);
    }

    private void Save()
    {
        _observer.Report(new SnapshotTaken(_best?.Checkpoint.Step == Step ? _best.Checkpoint : State()));
        _saved = Step;
    }

    private Checkpoint State() => _trainer.State.ToCheckpoint(_momentNames).Copy();

    private RunResult Result(bool interrupted)
    {
        var evaluation = _best?.Evaluation ?? _evaluation;
        return new(
            Step,
            _best?.Checkpoint.Weights ?? _trainer.State.Weights.Memory,
            evaluation?.TestLoss,
            evaluation?.Metrics ?? [],
            _samples,
            _trained.TotalSeconds,
            Workers: 0,
            Transport,
            interrupted
        )
        {
            HeldOut = evaluation?.HeldOut,
            StopReason = _stopping?.Reason,
        };
    }
}
