using Distributed.Collectives;
using Distributed.Data;
using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control.Granting;

/// <summary>What is done after a step has been named.</summary>
internal enum WorkKind
{
    Train = 0,

    /// <summary>The test set is evaluated, after the held-out part.</summary>
    Evaluate,

    /// <summary>The held-out part is evaluated.</summary>
    EvaluateHoldout,

    Snapshot,

    /// <summary>All members' states are compared by their hashes.</summary>
    Compare,
}

/// <summary>One piece of the run's work.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Step">The step that is trained, or after which it is done.</param>
internal readonly record struct PlannedWork(WorkKind Kind, long Step)
{
    /// <summary>Where it stands in the run: an evaluation comes after the training of its step; the rest has no place of its own.</summary>
    public long Position => IsEvaluation ? TrainingStep.PositionAfter(Step, Part) : Positions.After(Step);

    /// <summary>Whether it is a step or an evaluation, rather than something that is done with the state between them.</summary>
    public bool HasPlace => Kind == WorkKind.Train || IsEvaluation;

    /// <summary>Whether it is an evaluation.</summary>
    public bool IsEvaluation => Kind is WorkKind.Evaluate or WorkKind.EvaluateHoldout;

    /// <summary>The part of the data that a step or an evaluation is done on.</summary>
    public DataPart Part =>
        Kind switch
        {
            WorkKind.Train => DataPart.Train,
            WorkKind.EvaluateHoldout => DataPart.Holdout,
            _ => DataPart.Test,
        };
}

/// <summary>All of a run's work in order: a pure function of its configuration and of where it begins.</summary>
internal static class WorkPlan
{
    /// <summary>The work after a position.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="position">What has been done.</param>
    /// <param name="saved">The newest step whose state has been saved, or is being saved.</param>
    /// <param name="compareEvery">Every how many steps members compare their states, beside those that are saved; 0 for these alone.</param>
    /// <param name="end">The run's last step, if that is not the configuration's; it is evaluated all the same.</param>
    /// <param name="wanted">A step whose state is saved in any case, if it is not past.</param>
    public static IEnumerable<PlannedWork> After(
        RunConfiguration configuration,
        long position,
        long saved,
        int compareEvery,
        long? end = null,
        long? wanted = null
    )
    {
        var (reached, last) = (Positions.StepAt(position), end ?? configuration.Steps);
        for (var step = reached; step <= last; step++)
        {
            var isSaved = step == wanted || (step > saved && (step == last || configuration.IsSaved(step)));
            if (step > reached)
                yield return new(WorkKind.Train, step);
            if (isSaved || (step > reached && compareEvery > 0 && step % compareEvery == 0))
                yield return new(WorkKind.Compare, step);
            if (configuration.IsEvaluated(step))
            {
                if (configuration.HasHoldout && Positions.AfterHoldout(step) > position)
                    yield return new(WorkKind.EvaluateHoldout, step);
                if (Positions.AfterEvaluation(step) > position)
                    yield return new(WorkKind.Evaluate, step);
            }

            if (isSaved)
                yield return new(WorkKind.Snapshot, step);
        }
    }
}
