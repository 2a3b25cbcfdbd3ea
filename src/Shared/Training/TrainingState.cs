using Distributed.Kernels;

namespace Distributed.Training;

/// <summary>
/// All that a step changes. A replica has two: a step reads one and writes the other, and ends when they change places, so that
/// a step that fails half-way leaves nothing behind.
/// </summary>
internal sealed class TrainingState
{
    /// <summary>Reserves a state of zeros before the first step.</summary>
    /// <param name="parameters">Length of the flat vector of parameters.</param>
    /// <param name="moments">Number of moments: how many <see cref="Optimizer.MomentNames"/> there are.</param>
    public TrainingState(int parameters, int moments)
    {
        Weights = new AlignedBuffer(parameters);
        Moments = [.. Enumerable.Range(0, moments).Select(_ => new AlignedBuffer(parameters))];
    }

    /// <summary>The flat vector of all parameters.</summary>
    public AlignedBuffer Weights { get; }

    /// <summary>The optimizer's memory, in the layout of the weights and the order of <see cref="Optimizer.MomentNames"/>.</summary>
    public IReadOnlyList<AlignedBuffer> Moments { get; }

    /// <summary>Number of steps completed.</summary>
    public long Step { get; set; }
}
