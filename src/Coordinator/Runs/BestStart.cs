using Distributed.Checkpoints;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>
/// Where a run goes on whose end and model depend on its evaluations: a state is of use only with all evaluations on the way to it, and
/// with the state of the best of them.
/// </summary>
internal static class BestStart
{
    /// <summary>The state of the best evaluation up to a start, or what is missing.</summary>
    /// <param name="start">The start.</param>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="evaluations">The evaluations that are logged, in order.</param>
    /// <param name="load">Loads the checkpoint of a step; null if there is none.</param>
    public static BestSearch Find(
        Checkpoint start,
        RunConfiguration configuration,
        IReadOnlyList<Evaluated> evaluations,
        Func<long, Checkpoint?> load
    )
    {
        if (configuration.Options.Patience is not { } patience)
            return new(Best: null, MissingStep: null);
        var logged = evaluations.ToDictionary(evaluation => evaluation.Step);
        var stopping = new EarlyStopping(patience);
        for (var step = configuration.EvalEvery; step <= start.Step; step += configuration.EvalEvery)
        {
            if (!logged.TryGetValue(step, out var evaluation) || evaluation.HeldOut is not { } heldOut)
                return new(Best: null, step);
            stopping = stopping.After(step, heldOut.Loss);
        }

        if (stopping.BestStep is not { } best)
            return new(Best: null, MissingStep: null);
        return (best == start.Step ? start : load(best)) is { } state
            ? new(new BestState(state, logged[best]), MissingStep: null)
            : new(Best: null, best);
    }
}

/// <summary>What was found of the best evaluation.</summary>
/// <param name="Best">Its state; null if there is none, or if something is missing.</param>
/// <param name="MissingStep">
/// The first step whose evaluation or state is missing, before which the run has to go on; null if none is.
/// </param>
internal sealed record BestSearch(BestState? Best, long? MissingStep);
