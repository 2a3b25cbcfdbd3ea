using Distributed.Collectives;
using Distributed.Model;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Worker.Computing;

/// <summary>What a view does with the gradients of a step, from its start to the new weights.</summary>
internal interface IStepExchange
{
    /// <summary>What it waits for at the moment.</summary>
    Phase Phase { get; }

    /// <summary>Where this worker's block gradients are to be put.</summary>
    PublishedMemory Memory { get; }

    /// <summary>What goes on with parts of the gradient while the backward pass does the rest; null if nothing does.</summary>
    IBackwardProgress? Progress { get; }

    /// <summary>Begins a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="microbatches">Microbatches of the global batch.</param>
    /// <param name="samples">Samples of the global batch.</param>
    ReductionPlan Begin(long step, int microbatches, int samples);

    /// <summary>Completes it: when this returns, the replica's state is the one after the step.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="PeerFailureException">Another member was lost.</exception>
    void Complete(CancellationToken cancellationToken);
}

/// <summary>The workers own the slices, and each updates its own copy of the weights.</summary>
internal sealed class PeerStep(PeerReduction reduction, PublishedMemory memory, WeightUpdater weights) : IStepExchange
{
    public Phase Phase => reduction.Phase;

    public PublishedMemory Memory => memory;

    public IBackwardProgress? Progress => reduction;

    public ReductionPlan Begin(long step, int microbatches, int samples)
    {
        weights.Begin(samples);
        return reduction.Begin(step, microbatches, weights);
    }

    public void Complete(CancellationToken cancellationToken)
    {
        reduction.Complete(cancellationToken);
        weights.Complete();
    }
}

/// <summary>The coordinator owns the reduction and the optimizer, and broadcasts the weights.</summary>
internal sealed class CoordinatorStep(CoordinatorExchange exchange, PublishedMemory memory, WeightUpdater weights) : IStepExchange
{
    public Phase Phase => exchange.Phase;

    public PublishedMemory Memory => memory;

    public IBackwardProgress? Progress => null;

    public ReductionPlan Begin(long step, int microbatches, int samples) =>
        exchange.Begin(step, microbatches, weights.Spare.Weights.Memory);

    public void Complete(CancellationToken cancellationToken)
    {
        exchange.Complete(cancellationToken);
        weights.Adopt();
    }
}
