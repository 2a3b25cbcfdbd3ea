using Distributed.Kernels.Embeddings;
using Distributed.Kernels.Threads;

namespace Distributed.Model;

/// <summary>
/// What a pass over samples is for, and where the samples stand: all that a layer may depend on beside its input and its parameters.
/// </summary>
/// <param name="Training">
/// Whether the pass belongs to a training step: only then are activations dropped and the microbatch's own statistics used.
/// </param>
/// <param name="Seed">The run's seed.</param>
/// <param name="Step">The step, from 1; 0 in evaluation.</param>
/// <param name="FirstSample">
/// Position of the first row in the global batch: draws follow it, so that they do not depend on which worker computes the row.
/// </param>
internal readonly record struct Pass(bool Training, ulong Seed, long Step, long FirstSample)
{
    /// <summary>
    /// Abandons the pass: checked before every layer, forward and backward, which then throws <see cref="OperationCanceledException"/>.
    /// What the pass was writing is undefined after that; the next pass starts afresh.
    /// </summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Counts the layers that the pass has come to; or null.</summary>
    public ProgressCounter? Progress { get; init; }

    /// <summary>
    /// Finds the rows of tables that the step touches, where only those have a place in its gradient; null where all parameters have theirs.
    /// </summary>
    public RowPlaces? Touched { get; init; }

    /// <summary>Rows of the pass in the calls before this one, where layers take it in row blocks.</summary>
    internal int RowsBefore { get; init; }

    /// <summary>Rows of the pass in the calls after this one.</summary>
    internal int RowsAfter { get; init; }

    /// <summary>The rows of the thread that computes this call alone; none where the team's threads share the call.</summary>
    internal ThreadRows ThreadRows { get; init; }

    /// <summary>A pass that trains nothing: no draws, and running statistics in place of the microbatch's own.</summary>
    public static Pass Evaluation => default;

    /// <summary>A pass of a training step.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="step">The step, from 1.</param>
    /// <param name="firstSample">Position of the first row in the global batch.</param>
    /// <param name="cancellation">Abandons the pass at the next layer.</param>
    public static Pass OfStep(ulong seed, long step, long firstSample, CancellationToken cancellation = default) =>
        new(Training: true, seed, step, firstSample) { Cancellation = cancellation };

    /// <summary>The pass comes to a layer.</summary>
    /// <exception cref="OperationCanceledException">It has been abandoned.</exception>
    internal void Reach()
    {
        Cancellation.ThrowIfCancellationRequested();
        Progress?.Advance();
    }

    /// <summary>Some rows of a whole pass.</summary>
    internal Pass RowBlock(int first, int rows, int passRows) =>
        this with
        {
            FirstSample = FirstSample + first,
            RowsBefore = first,
            RowsAfter = passRows - first - rows,
        };
}
