using Distributed.Kernels;

namespace Distributed.Collectives;

/// <summary>Where the owner of a slice finds what it sums: its own nodes, and those of others, wherever they lie.</summary>
internal interface INodeSource
{
    /// <summary>[slice]: the sum over the node at a place of the plan. Only read.</summary>
    ReadOnlySpan<float> Node(int place);
}

/// <summary>
/// Completes the reduction tree over a slice. The nodes are read where they lie, once, and nothing but the destination and a
/// little scratch is written: the slice is taken in pieces, so that partial sums stay in the caches.
/// </summary>
internal sealed class SliceReducer
{
    /// <summary>Elements of a piece: 16 KiB, so that the pieces of a few nodes lie together in a core's own caches.</summary>
    private const int PieceElements = 4096;

    private readonly List<AlignedBuffer> _partial = []; // by place of the subtree's first node: its sum
    private bool[] _isPartial = [];

    /// <summary>Makes room for a plan; only between steps.</summary>
    public void Reserve(ReductionPlan plan)
    {
        // The last addition writes to the destination, so a plan with one addition needs none.
        while (plan.Merges.Count > 1 && _partial.Count < plan.Nodes.Count)
            _partial.Add(new AlignedBuffer(PieceElements));
        if (_isPartial.Length < plan.Nodes.Count)
            _isPartial = new bool[plan.Nodes.Count];
    }

    /// <summary>Completes the tree, once every node has arrived.</summary>
    /// <param name="plan">The step's plan.</param>
    /// <param name="nodes">Its nodes over the slice.</param>
    /// <param name="destination">[slice]: the sum over all microbatches.</param>
    public void Complete(ReductionPlan plan, INodeSource nodes, Span<float> destination)
    {
        var size = plan.Merges.Count > 1 ? PieceElements : Math.Max(1, destination.Length);
        for (var start = 0; start < destination.Length; start += size)
            CompletePiece(plan, nodes, start, destination.Slice(start, Math.Min(size, destination.Length - start)));
    }

    private void CompletePiece(ReductionPlan plan, INodeSource nodes, int start, Span<float> destination)
    {
        if (plan.Merges.Count == 0)
            nodes.Node(0).CopyTo(destination);
        Array.Clear(_isPartial);
        for (var i = 0; i < plan.Merges.Count; i++)
        {
            var (left, right) = plan.Merges[i];
            var sum = i == plan.Merges.Count - 1 ? destination : _partial[left].Span[..destination.Length];
            ReductionKernels.Add(Operand(nodes, left, start, destination.Length), Operand(nodes, right, start, destination.Length), sum);
            _isPartial[left] = true;
        }
    }

    private ReadOnlySpan<float> Operand(INodeSource nodes, int place, int start, int length) =>
        _isPartial[place] ? _partial[place].Span[..length] : nodes.Node(place).Slice(start, length);
}
