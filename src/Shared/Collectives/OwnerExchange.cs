using Distributed.Kernels;
using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>
/// The coordinator's side of a view in which it owns the reduction: it takes the blocks of all workers, completes the tree
/// over the whole vector, and, once its caller has updated the weights, sends them to every worker.
/// </summary>
/// <remarks>
/// The weights of a step may be overwritten two steps later: a worker sends its blocks for a step only after it has had the
/// weights of the step before.
/// </remarks>
/// <param name="identity">The view; the rank is the number of workers, since the coordinator is none.</param>
/// <param name="length">The flat vector's length in elements.</param>
public sealed class OwnerExchange(ExchangeIdentity identity, int length) : ViewExchange(identity, identity.Workers, length, rounds: 1)
{
    private readonly SliceReducer _whole = new(0, length);
    private readonly AlignedBuffer _reduced = new(length);

    /// <summary>Begins a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="microbatches">The step's number of microbatches.</param>
    public void Begin(long step, int microbatches) => BeginStep(step, microbatches);

    /// <summary>Blocks until the gradient is summed.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>[length]: the sum over all microbatches, valid until the next step.</returns>
    /// <exception cref="PeerFailureException">A worker was lost.</exception>
    public ReadOnlySpan<float> Reduce(CancellationToken cancellationToken)
    {
        Round(0).Wait(cancellationToken);
        _whole.Complete(Plan, first: 0, own: [], .., _reduced.Span);
        return _reduced.Span;
    }

    /// <summary>Sends the updated weights to every worker.</summary>
    /// <param name="weights">[length]; must not change before the end of the next step.</param>
    public void Broadcast(ReadOnlyMemory<float> weights)
    {
        for (var worker = 0; worker < Plan.Workers; worker++)
            Link(worker).Send(Identity.Header(Step, FrameKind.Weights), weights);
    }

    private protected override void Expect(ReductionPlan plan)
    {
        _whole.Reserve(plan);
        for (var worker = 0; worker < plan.Workers; worker++)
            Round(0).Expect(worker, Contribution(plan, worker, Length));
    }

    private protected override void Take(int peer, Frame frame)
    {
        if (IsEmptyContribution(peer, frame))
        {
            Round(0).Arrived(peer, 1);
            return;
        }

        if (frame.Header.Kind != FrameKind.Block || !Plan.Holds(peer, frame.Header.Part, out var place))
            throw Unexpected(peer, frame);
        _whole.Store(place, frame.Header.Offset, frame.Values);
        Round(0).Arrived(peer, frame.Values.Length);
    }
}
