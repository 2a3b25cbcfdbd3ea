using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>What is done after a step has been named.</summary>
internal enum WorkKind
{
    Train = 0,
    Evaluate,
    Snapshot,
}

/// <summary>One piece of the run's work.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Step">The step that is trained, or after which it is done.</param>
internal readonly record struct PlannedWork(WorkKind Kind, long Step);

/// <summary>All of a run's work in order: a pure function of its configuration and its start.</summary>
internal static class WorkPlan
{
    /// <summary>The work from a start on. A run that starts at its end is only evaluated.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="start">Steps completed before.</param>
    public static IEnumerable<PlannedWork> From(RunConfiguration configuration, long start)
    {
        for (var step = start + 1; step <= configuration.Steps; step++)
        {
            yield return new(WorkKind.Train, step);
            if (step % configuration.EvalEvery == 0 || step == configuration.Steps)
                yield return new(WorkKind.Evaluate, step);
            if (step % configuration.CheckpointEvery == 0 || step == configuration.Steps)
                yield return new(WorkKind.Snapshot, step);
        }

        if (start >= configuration.Steps)
            yield return new(WorkKind.Evaluate, start);
    }
}
