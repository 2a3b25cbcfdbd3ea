using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Data;
using Distributed.Objectives;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>
/// Takes over a state that a worker has left after its coordinator had gone. The workers were ahead of what that coordinator had logged, so
/// that the file brings the records of its last steps.
/// </summary>
internal static class EmergencyStart
{
    /// <summary>Logs what the metrics lack on the way to the state, and makes it a checkpoint of the run.</summary>
    /// <param name="start">The state.</param>
    /// <param name="prepared">The run.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="run">Receives the warnings.</param>
    public static void Adopt(Checkpoint start, RunPreparation prepared, RunFolder folder, IRunObserver run)
    {
        run.Report(new RunWarning($"goes on from the state after step {start.Step}, which a worker has left as an emergency checkpoint"));
        Log(start, prepared, folder.Metrics, run);
        try
        {
            folder.SaveCheckpoint(start);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            run.Report(
                new RunWarning(
                    $"the emergency checkpoint of step {start.Step} cannot be copied to {folder.Checkpoints.Path} "
                        + $"({exception.Message.TrimEnd('.')}); keep it until the run has a later checkpoint"
                )
            );
        }
    }

    private static void Log(Checkpoint start, RunPreparation prepared, MetricsLog metrics, IRunObserver run)
    {
        var configuration = prepared.Configuration;
        var end = Positions.Start(start.Step, configuration.Steps);
        var records = RecordsOf(start);
        var missing = new List<long>();
        var plan = WorkPlan.After(configuration, metrics.Position(), saved: long.MaxValue, compareEvery: 0);
        foreach (var work in plan.TakeWhile(work => work.Position <= end))
        {
            if (work.IsEvaluation && work.Step == start.Step && !records.ContainsKey(work))
                records.Add(work, Evaluate(start, work.Part, prepared));
            if (!records.TryGetValue(work, out var sums) || !TryLog(work, sums, records, prepared, metrics))
                missing.Add(work.Step);
        }

        if (missing.Count > 0)
        {
            run.Report(
                new RunWarning(
                    $"{metrics.Path}: lacks lines of steps {missing[0]} to {missing[^1]}: "
                        + "neither it nor the emergency checkpoint has them"
                )
            );
        }
    }

    // A step that was done once more has the same record.
    private static Dictionary<PlannedWork, BatchSums> RecordsOf(Checkpoint start)
    {
        var records = new Dictionary<PlannedWork, BatchSums>();
        foreach (var report in StepReports.Parser.ParseFrom(start.Records.Span).Reports)
        {
            if (report.Record.Length == StepRecord.ByteLength)
                records[Reports.WorkOf(report)] = StepRecord.Read(report.Record.Span).Sums;
        }

        return records;
    }

    // The held-out part is logged with the test set.
    private static bool TryLog(
        PlannedWork work,
        in BatchSums sums,
        Dictionary<PlannedWork, BatchSums> records,
        RunPreparation prepared,
        MetricsLog metrics
    )
    {
        var configuration = prepared.Configuration;
        if (work.Kind == WorkKind.Train)
            LogStep(work.Step, sums, prepared, metrics);
        if (work.Kind != WorkKind.Evaluate)
            return true;
        var heldOut = records.TryGetValue(new(WorkKind.EvaluateHoldout, work.Step), out var held) ? Score(DataPart.Holdout, held) : null;
        if (configuration.HasHoldout && heldOut is null)
            return false;
        metrics.Append(Evaluated.Of(work.Step, Score(DataPart.Test, sums), heldOut));
        return true;

        TestScore Score(DataPart part, in BatchSums of) => TestScore.Of(configuration.CreateObjective(prepared.Dataset, part), of);
    }

    private static void LogStep(long step, in BatchSums sums, RunPreparation prepared, MetricsLog metrics)
    {
        var configuration = prepared.Configuration;
        var options = configuration.Options;
        var rate = new LearningRateSchedule(options.Schedule, options.Optimizer.LearningRate).At(step, configuration.Steps);
        var epoch = configuration.Batches(prepared.Dataset.Train.Count).Epoch(step);
        metrics.Append(new StepCompleted(step, epoch, sums.MeanLoss, rate, (int)sums.Samples));
    }

    // The workers had trained the step, and not evaluated after it yet.
    private static BatchSums Evaluate(Checkpoint start, DataPart part, RunPreparation prepared)
    {
        var configuration = prepared.Configuration;
        using var trainer = new LocalTrainer(
            prepared.Settings,
            prepared.Dataset,
            configuration.Batches(prepared.Dataset.Train.Count),
            Environment.ProcessorCount
        );
        trainer.State.Restore(start);
        return trainer.Evaluate(part);
    }
}
