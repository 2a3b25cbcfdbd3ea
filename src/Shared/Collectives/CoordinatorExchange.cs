using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>
/// A worker's side of a view in which the coordinator owns the reduction: it sends its blocks and gets the updated weights.
/// </summary>
/// <remarks>
/// The whole vector travels as one, after the backward pass: the line of the one owner is what limits such a view, and it carries
/// every worker's gradient and weights in any case, so that a head start of a part of a backward pass would not be felt.
/// </remarks>
/// <param name="identity">The view, seen by this worker.</param>
/// <param name="plans">The plans of its steps; their buckets are not used.</param>
/// <param name="memory">Where this worker's blocks lie.</param>
public sealed class CoordinatorExchange(ExchangeIdentity identity, ReductionPlans plans, PublishedMemory memory)
    : ViewExchange(identity, ["the coordinator"], plans)
{
    private readonly Pending _arriving = new(peers: 1);
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
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="PeerFailureException">The coordinator was lost.</exception>
    public void Complete(CancellationToken cancellationToken)
    {
        var (first, count) = Plan.PlacesOf(Identity.Rank);
        if (count == 0)
            Link(0).Send(Identity.Header(Step, FrameKind.Block), default);
        for (var i = 0; i < count; i++)
            Link(0).Send(Identity.Header(Step, FrameKind.Block, Plan.Blocks[first + i].Start), memory.Block(i));
        Phase = Phase.Broadcast;
        _arriving.WaitForAll(0, cancellationToken);
    }

    private protected override void Expect(ReductionPlan plan)
    {
        _arriving.Begin(parts: 1);
        _arriving.Expect(0, 0, _weights.Length);
    }

    private protected override Memory<float> Place(in FrameHeader header, int count) =>
        header.Kind == FrameKind.Weights && header.Offset <= _weights.Length - count ? _weights.Slice((int)header.Offset, count) : default;

    private protected override void Take(int peer, Frame frame)
    {
        var destination = Place(frame.Header, frame.Values.Length);
        if (destination.IsEmpty)
            throw Unexpected(peer, frame);
        if (!frame.IsInPlace)
            frame.Values.CopyTo(destination.Span);
        _arriving.Arrived(peer, 0, frame.Values.Length);
    }

    private protected override bool IsOwedBy(int peer) => _arriving.IsOwedBy(peer);

    private protected override void Fail(Exception failure) => _arriving.Fail(failure);
}
