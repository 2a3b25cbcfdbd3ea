using Distributed.Collectives;
using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control.Granting;

/// <summary>What is done after a step has been named.</summary>
internal enum WorkKind
{
    Train = 0,
    Evaluate,
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
    public long Position => Kind == WorkKind.Evaluate ? Positions.AfterEvaluation(Step) : Positions.After(Step);

    /// <summary>Whether it is a step or an evaluation, rather than something that is done with the state between them.</summary>
    public bool HasPlace => Kind is WorkKind.Train or WorkKind.Evaluate;
}

/// <summary>All of a run's work in order: a pure function of its configuration and of where it begins.</summary>
internal static class WorkPlan
{
    /// <summary>The work of a run that begins with the state after a step. One that begins at its end is only evaluated.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="start">Steps completed before.</param>
    /// <param name="compareEvery">Every how many steps members compare their states, beside those that are saved; 0 for these alone.</param>
    public static IEnumerable<PlannedWork> From(RunConfiguration configuration, long start, int compareEvery) =>
        After(configuration, Positions.Start(start, configuration.Steps), start, compareEvery);

    /// <summary>The work after a position.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="position">What has been done.</param>
    /// <param name="saved">The newest step whose state has been saved, or is being saved.</param>
    /// <param name="compareEvery">Every how many steps members compare their states, beside those that are saved; 0 for these alone.</param>
    public static IEnumerable<PlannedWork> After(RunConfiguration configuration, long position, long saved, int compareEvery)
    {
        var reached = Positions.StepAt(position);
        for (var step = reached; step <= configuration.Steps; step++)
        {
            var isSaved = step > saved && (step % configuration.CheckpointEvery == 0 || step == configuration.Steps);
            if (step > reached)
                yield return new(WorkKind.Train, step);
            if (isSaved || (step > reached && compareEvery > 0 && step % compareEvery == 0))
                yield return new(WorkKind.Compare, step);
            if (Positions.AfterEvaluation(step) > position && IsEvaluated(configuration, step))
                yield return new(WorkKind.Evaluate, step);
            if (isSaved)
                yield return new(WorkKind.Snapshot, step);
        }
    }

    /// <summary>Whether the test set is evaluated after a step.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="step">The step.</param>
    public static bool IsEvaluated(RunConfiguration configuration, long step) =>
        step % configuration.EvalEvery == 0 || step == configuration.Steps;
}
