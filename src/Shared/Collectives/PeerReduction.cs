using Distributed.Kernels;
using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>
/// Sums a step's gradient over all workers of a view, which own its slices: reduce-scatter (each sends its blocks' slices to
/// their owners), the tree, and all-gather (each owner sends its reduced slice to the others). Two rounds, whatever the
/// number of workers.
/// </summary>
/// <remarks>
/// No buffer is written while it is still being sent: a step ends only when every slice has come back reduced, so that every
/// owner has had this worker's blocks, and an owner reduces the next step into its slice only after every worker has sent
/// its blocks for that step, or that it has none, so that all have had the slice.
/// </remarks>
public sealed class PeerReduction : ViewExchange
{
    private readonly SliceReducer _slice;
    private readonly AlignedBuffer _reduced;

    /// <summary>Prepares the exchange of one view.</summary>
    /// <param name="identity">The view, seen by this worker.</param>
    /// <param name="length">The flat vector's length in elements.</param>
    public PeerReduction(ExchangeIdentity identity, int length)
        : base(identity, identity.Workers, length, rounds: 2)
    {
        var (start, end) = SliceOf(identity.Rank);
        _slice = new SliceReducer(start, end - start);
        _reduced = new AlignedBuffer(identity.Workers.Count == 1 ? 0 : length);
    }

    private Pending Blocks => Round(0);

    private Pending Slices => Round(1);

    /// <summary>Begins a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="microbatches">The step's number of microbatches.</param>
    /// <returns>The step's plan.</returns>
    public ReductionPlan Begin(long step, int microbatches) => BeginStep(step, microbatches);

    /// <summary>Sums the gradient; blocks until it is there.</summary>
    /// <param name="blocks">This worker's blocks in the order of the plan, each [length]; used as scratch.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>[length]: the sum over all microbatches, valid until the next step.</returns>
    /// <exception cref="PeerFailureException">A peer was lost.</exception>
    public ReadOnlySpan<float> Reduce(IReadOnlyList<AlignedBuffer> blocks, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        if (Plan.Workers == 1)
            return LocalReduction.Complete(Plan, blocks);
        SendBlocks(blocks);
        ReduceSlice(blocks, cancellationToken);
        Phase = Phase.AllGather;
        Slices.Wait(cancellationToken);
        return _reduced.Span;
    }

    private protected override void Expect(ReductionPlan plan)
    {
        _slice.Reserve(plan);
        for (var peer = 0; peer < plan.Workers; peer++)
        {
            if (peer == Identity.Rank)
                continue;
            var (start, end) = SliceOf(peer);
            Blocks.Expect(peer, Contribution(plan, peer, _slice.Length));
            Slices.Expect(peer, end - start);
        }
    }

    private protected override void Take(int peer, Frame frame)
    {
        if (IsEmptyContribution(peer, frame))
            Blocks.Arrived(peer, 1);
        else if (frame.Header.Kind == FrameKind.Block && Plan.Holds(peer, frame.Header.Part, out var place))
            TakeBlock(peer, place, frame);
        else if (frame.Header.Kind == FrameKind.Reduced)
            TakeSlice(peer, frame);
        else
            throw Unexpected(peer, frame);
    }

    private void TakeBlock(int peer, int place, Frame frame)
    {
        _slice.Store(place, frame.Header.Offset, frame.Values);
        Blocks.Arrived(peer, frame.Values.Length);
    }

    private void TakeSlice(int peer, Frame frame)
    {
        var (start, end) = SliceOf(peer);
        if (frame.Header.Offset < start || frame.Header.Offset > end - frame.Values.Length)
            throw Unexpected(peer, frame);
        frame.Values.CopyTo(_reduced.Span[(int)frame.Header.Offset..]);
        Slices.Arrived(peer, frame.Values.Length);
    }

    private void SendBlocks(IReadOnlyList<AlignedBuffer> blocks)
    {
        foreach (var peer in Others())
        {
            var (start, end) = SliceOf(peer);
            if (blocks.Count > 0)
                SendBlocks(peer, blocks);
            else if (start < end)
                Link(peer).Send(Identity.Header(Step, FrameKind.Block), default);
        }
    }

    // Part by part, so that an owner has a part of every block early and can pass its sum on while the rest is still coming.
    private void SendBlocks(int peer, IReadOnlyList<AlignedBuffer> blocks)
    {
        var first = Plan.PlacesOf(Identity.Rank).First;
        foreach (var (start, end) in Parts(peer))
        {
            for (var i = 0; i < blocks.Count; i++)
                Link(peer).Send(Identity.Header(Step, FrameKind.Block, Plan.Blocks[first + i].Start, start), blocks[i].Memory[start..end]);
        }
    }

    private void ReduceSlice(IReadOnlyList<AlignedBuffer> blocks, CancellationToken cancellationToken)
    {
        var first = Plan.PlacesOf(Identity.Rank).First;
        var origin = SliceOf(Identity.Rank).Start;
        Span<long> owed = stackalloc long[Plan.Workers];
        foreach (var (start, end) in Parts(Identity.Rank))
        {
            for (var peer = 0; peer < owed.Length; peer++)
                owed[peer] = (long)Plan.PlacesOf(peer).Count * (_slice.Length - (end - origin));
            Blocks.Wait(owed, cancellationToken);
            _slice.Complete(Plan, first, blocks, (start - origin)..(end - origin), _reduced.Span[start..end]);
            foreach (var peer in Others())
                Link(peer).Send(Identity.Header(Step, FrameKind.Reduced, Identity.Rank, start), _reduced.Memory[start..end]);
        }
    }

    // An owner's slice in pieces of a frame.
    private IEnumerable<(int Start, int End)> Parts(int owner)
    {
        var (start, end) = SliceOf(owner);
        for (; start < end; start += WireLimits.FrameElements)
            yield return (start, Math.Min(end, start + WireLimits.FrameElements));
    }

    // Each worker begins with the one after it, so that no owner gets everything at once.
    private IEnumerable<int> Others() => Enumerable.Range(1, Plan.Workers - 1).Select(turn => (Identity.Rank + turn) % Plan.Workers);

    private (int Start, int End) SliceOf(int rank) => Partition.Slice(Length, Identity.Workers.Count, rank);
}
