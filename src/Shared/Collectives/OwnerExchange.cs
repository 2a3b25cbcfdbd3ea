using Distributed.Kernels;
using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>
/// The coordinator's side of a view in which it owns the reduction: it takes the blocks of all workers, completes the tree
/// over the whole vector, and, once its caller has updated the weights, sends them to every worker.
/// </summary>
/// <remarks>
/// The weights of a step may be overwritten two steps later: a worker sends its blocks for a step, or an empty frame if it has
/// none, only after it has had the weights of the step before.
/// </remarks>
public sealed class OwnerExchange : ViewExchange, IBlockSource
{
    private readonly int _length;
    private readonly Pending _arriving;
    private readonly SliceReducer _reducer = new();
    private readonly List<AlignedBuffer> _received = []; // by place
    private readonly AlignedBuffer _reduced;

    /// <summary>Prepares the exchange of one view.</summary>
    /// <param name="identity">The view; the rank is the number of workers, since the coordinator is none.</param>
    /// <param name="plans">The plans of its steps; their buckets are not used.</param>
    /// <param name="length">The flat vector's length in elements.</param>
    public OwnerExchange(ExchangeIdentity identity, ReductionPlans plans, int length)
        : base(identity, identity.Workers, plans)
    {
        _length = length;
        _arriving = new Pending(identity.Workers.Count);
        _reduced = new AlignedBuffer(length);
    }

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
        _arriving.WaitForAll(0, cancellationToken);
        _reducer.Complete(Plan, this, _reduced.Span);
        return _reduced.Span;
    }

    /// <summary>Sends the updated weights to every worker.</summary>
    /// <param name="weights">[length]; must not change before the end of the next step.</param>
    public void Broadcast(ReadOnlyMemory<float> weights)
    {
        for (var worker = 0; worker < Plan.Workers; worker++)
            Link(worker).Send(Identity.Header(Step, FrameKind.Weights), weights);
    }

    ReadOnlySpan<float> IBlockSource.Block(int place) => _received[place].Span;

    private protected override void Expect(ReductionPlan plan)
    {
        while (_received.Count < plan.Blocks.Count)
            _received.Add(new AlignedBuffer(_length));
        _reducer.Reserve(plan);
        _arriving.Begin(parts: 1);
        for (var worker = 0; worker < plan.Workers; worker++)
            _arriving.Expect(worker, 0, plan.PlacesOf(worker).Count is > 0 and var blocks ? (long)blocks * _length : 1);
    }

    private protected override void Take(int peer, Frame frame)
    {
        if (frame.Header.Kind == FrameKind.Block && frame.Values.IsEmpty && Plan.PlacesOf(peer).Count == 0)
        {
            _arriving.Arrived(peer, 0, 1);
            return;
        }

        if (
            frame.Header.Kind != FrameKind.Block
            || !Plan.Holds(peer, frame.Header.Part, out var place)
            || frame.Header.Offset > _length - frame.Values.Length
        )
        {
            throw Unexpected(peer, frame);
        }

        frame.Values.CopyTo(_received[place].Span[(int)frame.Header.Offset..]);
        _arriving.Arrived(peer, 0, frame.Values.Length);
    }

    private protected override bool IsOwedBy(int peer) => _arriving.IsOwedBy(peer);

    private protected override void Fail(Exception failure) => _arriving.Fail(failure);
}
