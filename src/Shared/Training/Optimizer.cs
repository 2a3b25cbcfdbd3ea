using Distributed.Kernels;
using Distributed.Kernels.Embeddings;
using Distributed.Kernels.Threads;

namespace Distributed.Training;

/// <summary>
/// Turns the gradient of a step into the next weights. Has no memory of its own: that is in the <see cref="TrainingState"/>.
/// </summary>
internal abstract class Optimizer
{
    /// <summary>The names of the moments that it keeps beside the weights, as PyTorch calls them; empty where it keeps none.</summary>
    public abstract IReadOnlyList<string> MomentNames { get; }

    /// <summary>
    /// Whether it leaves a weight whose gradient is zero alone, and its moments too, to the bit: then only rows of tables that a step touches
    /// have to be updated, by <see cref="UpdateRows"/>.
    /// </summary>
    public virtual bool LeavesUntouchedAlone => false;

    /// <summary>Updates rows of tables, as <see cref="Update(in OptimizerStep, int, ReadOnlySpan{float}, TrainingState, TrainingState)"/> would.</summary>
    /// <param name="step">The step; not clipped.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="gradientSum">[values of these rows], row by row: the sum of the samples' gradients.</param>
    /// <param name="current">The state before the step; these rows are overwritten by those after it.</param>
    /// <param name="next">The state after the step, in which all other rows are the same; likewise.</param>
    internal virtual void UpdateRows(
        in OptimizerStep step,
        TouchedRows rows,
        ReadOnlySpan<float> gradientSum,
        TrainingState current,
        TrainingState next
    ) => throw new NotSupportedException("the optimizer changes rows that no sample takes");

    /// <summary>Reads one state and writes the next. The mean gradient is gradientSum / samples, times the clip scale.</summary>
    /// <param name="step">The number of the step, from 1: the one after those that <paramref name="current"/> has completed.</param>
    /// <param name="learningRate">The rate of this step.</param>
    /// <param name="samples">Samples of the global batch, at least 1.</param>
    /// <param name="clipScale">What <see cref="GradientClipping.Scale"/> gave; 1 for none.</param>
    /// <param name="gradientSum">Flat vector: the sum of the samples' gradients.</param>
    /// <param name="current">The state before the step; only read.</param>
    /// <param name="next">The state after the step; overwritten.</param>
    /// <param name="team">The threads, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">Lengths differ, the step does not follow the state, or there are no samples.</exception>
    public void Update(
        long step,
        float learningRate,
        int samples,
        float clipScale,
        ReadOnlySpan<float> gradientSum,
        TrainingState current,
        TrainingState next,
        ComputeTeam? team
    )
    {
        if (gradientSum.Length != current.Weights.Length || gradientSum.Length != next.Weights.Length)
        {
            throw new ArgumentException(
                $"a gradient of {gradientSum.Length} for states of {current.Weights.Length} and {next.Weights.Length}",
                nameof(gradientSum)
            );
        }

        Update(new OptimizerStep(step, learningRate, samples, clipScale, team), 0, gradientSum, current, next);
        next.Step = step;
    }

    /// <summary>
    /// Updates a part of the vectors, as
    /// <see cref="Update(long, float, int, float, ReadOnlySpan{float}, TrainingState, TrainingState, ComputeTeam?)"/> does all of them; the
    /// step of the next state stays as it is.
    /// </summary>
    /// <param name="step">The step.</param>
    /// <param name="offset">Where the part begins.</param>
    /// <param name="gradientSum">The part: the sum of the samples' gradients.</param>
    /// <param name="current">The state before the step; only read.</param>
    /// <param name="next">The state after the step; the part is overwritten.</param>
    /// <exception cref="ArgumentException">
    /// The step does not follow the state, the states are not this optimizer's, or there are no samples.
    /// </exception>
    internal void Update(in OptimizerStep step, int offset, ReadOnlySpan<float> gradientSum, TrainingState current, TrainingState next)
    {
        if (step.Number != current.Step + 1)
            throw new ArgumentException($"step {step.Number} does not follow a state after {current.Step} steps", nameof(step));
        if (current.Moments.Count != MomentNames.Count || next.Moments.Count != MomentNames.Count)
        {
            throw new ArgumentException(
                $"states of {current.Moments.Count} and {next.Moments.Count} moments, expected {MomentNames.Count}",
                nameof(next)
            );
        }

        Apply(step, offset, gradientSum, current, next);
    }

    /// <summary>Writes weights and moments of the next state from an offset on, for as many elements as the gradient has.</summary>
    private protected abstract void Apply(
        in OptimizerStep step,
        int offset,
        ReadOnlySpan<float> gradientSum,
        TrainingState current,
        TrainingState next
    );

    /// <summary>The part of a vector that a piece of the gradient is for.</summary>
    private protected static Span<float> Part(AlignedBuffer vector, int offset, ReadOnlySpan<float> gradientSum) =>
        vector.Span.Slice(offset, gradientSum.Length);
}
