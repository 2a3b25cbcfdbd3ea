using Distributed.Checkpoints;

namespace Distributed.Training;

/// <summary>The way between a state in training and what a checkpoint keeps of it.</summary>
internal static class TrainingStateExtensions
{
    /// <summary>Takes over a checkpoint's step, weights and moments.</summary>
    /// <param name="state">The state; overwritten.</param>
    /// <param name="checkpoint">A checkpoint of the same model and optimizer.</param>
    public static void Restore(this TrainingState state, Checkpoint checkpoint)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(checkpoint.Moments.Count, state.Moments.Count, nameof(checkpoint));
        checkpoint.Weights.Span.CopyTo(state.Weights.Span);
        for (var moment = 0; moment < state.Moments.Count; moment++)
            checkpoint.Moments[moment].Values.Span.CopyTo(state.Moments[moment].Span);
        state.Step = checkpoint.Step;
    }

    /// <summary>The state as a checkpoint that shares its memory: copy it before the state changes.</summary>
    /// <param name="state">The state.</param>
    /// <param name="momentNames">The names of its moments, <see cref="Optimizer.MomentNames"/>.</param>
    public static Checkpoint ToCheckpoint(this TrainingState state, IReadOnlyList<string> momentNames) =>
        new(
            state.Step,
            state.Weights.Memory,
            [.. momentNames.Zip(state.Moments, (name, values) => (name, (ReadOnlyMemory<float>)values.Memory))]
        );
}
