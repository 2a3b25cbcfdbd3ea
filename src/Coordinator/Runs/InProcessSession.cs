using Distributed.Data;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>One run inside this process, from its start state to its end.</summary>
internal sealed class InProcessSession : IDisposable
{
    private const string Transport = "none";

    private readonly RunConfiguration _configuration;
    private readonly IRunObserver _observer;
    private readonly TimeProvider _time;
    private readonly Objective _objective;
    private readonly BatchPlan _batches;
    private readonly LocalTrainer _trainer;
    private readonly IReadOnlyList<string> _momentNames;
    private readonly bool _keepsLedger;
    private TimeSpan _trained;
    private long _samples;
    private Evaluated? _evaluation;

    internal InProcessSession(RunRequest request, IRunObserver observer, TimeProvider time)
    {
        _configuration = request.Configuration;
        _observer = observer;
        _time = time;
        _keepsLedger = request.Cluster.Ledger;
        _momentNames = _configuration.Options.Optimizer.CreateOptimizer().MomentNames;
        var settings = request.Settings;
        _objective = settings.Objective;
        _batches = _configuration.Batches(request.Dataset.Train.Count);
        _trainer = new LocalTrainer(settings, request.Dataset, _batches, request.Cluster.ResolvedThreads);
        _trainer.State.Restore(request.Start);
    }

    private long Step => _trainer.State.Step;

    internal async Task<RunResult> RunAsync(CancellationToken interrupt)
    {
        _observer.Report(new RunStarted(Step + 1, _configuration.Steps, Workers: 0, Transport));
        while (Step < _configuration.Steps && !interrupt.IsCancellationRequested)
        {
            TrainStep();
            if (Step % _configuration.EvalEvery == 0)
                Evaluate();
            if (Step % _configuration.CheckpointEvery == 0)
                Save();
            await _observer.SettleAsync(complete: false);
        }
        var interrupted = Step < _configuration.Steps;
        if (!interrupted && _evaluation?.Step != Step)
            Evaluate();
        if (Step % _configuration.CheckpointEvery != 0)
            Save();
        await _observer.SettleAsync(complete: true);
        return Result(interrupted);
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
    }

    private void Evaluate()
    {
        var sums = _trainer.Evaluate();
        _evaluation = Evaluated.Of(Step, _objective, sums);
        _observer.Report(_evaluation);
    }

    private void Save() => _observer.Report(new SnapshotTaken(_trainer.State.ToCheckpoint(_momentNames).Copy()));

    private RunResult Result(bool interrupted) =>
        new(
            Step,
            _trainer.State.Weights.Memory,
            _evaluation?.TestLoss,
            _evaluation?.Metrics ?? [],
            _samples,
            _trained.TotalSeconds,
            Workers: 0,
            Transport,
            interrupted
        );
}
