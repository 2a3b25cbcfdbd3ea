using Distributed.Kernels;
using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>
/// A worker's side of a view in which the coordinator owns the reduction: it sends its blocks and gets the updated weights.
/// </summary>
/// <param name="identity">The view, seen by this worker.</param>
/// <param name="length">The flat vector's length in elements.</param>
public sealed class CoordinatorExchange(ExchangeIdentity identity, int length) : ViewExchange(identity, ["the coordinator"], length, rounds: 1)
{
    private Memory<float> _weights;

    /// <summary>Begins a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="microbatches">The step's number of microbatches.</param>
    /// <param name="weights">[length]: receives the weights after the step.</param>
    /// <returns>The step's plan.</returns>
    public ReductionPlan Begin(long step, int microbatches, Memory<float> weights)
    {
        _weights = weights;
        return BeginStep(step, microbatches);
    }

    /// <summary>Sends this worker's blocks and blocks until the updated weights are there.</summary>
    /// <param name="blocks">This worker's blocks in the order of the plan, each [length].</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="PeerFailureException">The coordinator was lost.</exception>
    public void Complete(IReadOnlyList<AlignedBuffer> blocks, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        var first = Plan.PlacesOf(Identity.Rank).First;
        if (blocks.Count == 0)
            Link(0).Send(Identity.Header(Step, FrameKind.Block), default);
        for (var i = 0; i < blocks.Count; i++)
            Link(0).Send(Identity.Header(Step, FrameKind.Block, Plan.Blocks[first + i].Start), blocks[i].Memory);
        Phase = Phase.Broadcast;
        Round(0).Wait(cancellationToken);
    }

    private protected override void Expect(ReductionPlan plan) => Round(0).Expect(0, Length);

    private protected override void Take(int peer, Frame frame)
    {
        if (frame.Header.Kind != FrameKind.Weights || frame.Header.Offset > Length - frame.Values.Length)
            throw Unexpected(peer, frame);
        frame.Values.CopyTo(_weights.Span[(int)frame.Header.Offset..]);
        Round(0).Arrived(peer, frame.Values.Length);
    }
}
