using Distributed.Collectives;
using Distributed.Kernels;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Worker.Computing;

/// <summary>What a view does with the gradients of a step, from its start to the new weights.</summary>
internal interface IStepExchange
{
    /// <summary>What it waits for at the moment.</summary>
    Phase Phase { get; }

    /// <summary>Begins a step.</summary>
    ReductionPlan Begin(long step, int microbatches);

    /// <summary>Completes it: when this returns, the replica's state is the one after the step.</summary>
    /// <param name="blocks">This worker's block gradients, in the order of the plan.</param>
    /// <param name="samples">Samples of the global batch.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="PeerFailureException">Another member was lost.</exception>
    void Complete(IReadOnlyList<AlignedBuffer> blocks, int samples, CancellationToken cancellationToken);
}

/// <summary>The workers own the slices, and each updates its own copy of the weights.</summary>
internal sealed class PeerStep(PeerReduction reduction, WeightUpdater weights) : IStepExchange
{
    private bool _updating;

    public Phase Phase => _updating ? Phase.Update : reduction.Phase;

    public ReductionPlan Begin(long step, int microbatches)
    {
        _updating = false;
        return reduction.Begin(step, microbatches);
    }

    public void Complete(IReadOnlyList<AlignedBuffer> blocks, int samples, CancellationToken cancellationToken)
    {
        var gradient = reduction.Reduce(blocks, cancellationToken);
        _updating = true;
        weights.Update(samples, gradient);
    }
}

/// <summary>The coordinator owns the reduction and the optimizer, and broadcasts the weights.</summary>
internal sealed class CoordinatorStep(CoordinatorExchange exchange, WeightUpdater weights) : IStepExchange
{
    public Phase Phase => exchange.Phase;

    public ReductionPlan Begin(long step, int microbatches) => exchange.Begin(step, microbatches, weights.Spare.Weights.Memory);

    public void Complete(IReadOnlyList<AlignedBuffer> blocks, int samples, CancellationToken cancellationToken)
    {
        exchange.Complete(blocks, cancellationToken);
        weights.Adopt();
    }
}
