using Distributed.Kernels;

namespace Distributed.Collectives;

/// <summary>Where the owner of a slice finds what it sums: its own blocks, and those of others, wherever they lie.</summary>
internal interface IBlockSource
{
    /// <summary>[slice]: the sum over the block at a place of the plan. Only read.</summary>
    ReadOnlySpan<float> Block(int place);
}

/// <summary>
/// Completes the reduction tree over a slice. The blocks are read where they lie, once, and nothing but the destination and a
/// little scratch is written: the slice is taken in pieces, so that partial sums stay in the caches.
/// </summary>
internal sealed class SliceReducer
{
    /// <summary>Elements of a piece: 16 KiB, so that the pieces of a few blocks lie together in a core's own caches.</summary>
    private const int PieceElements = 4096;

    private readonly List<AlignedBuffer> _partial = []; // by place: the sum of the subtree whose first block is there
    private bool[] _isPartial = [];

    /// <summary>Makes room for a plan; only between steps.</summary>
    public void Reserve(ReductionPlan plan)
    {
        // The last addition writes to the destination, so a plan with one addition needs none.
        while (plan.Merges.Count > 1 && _partial.Count < plan.Blocks.Count)
            _partial.Add(new AlignedBuffer(PieceElements));
        if (_isPartial.Length < plan.Blocks.Count)
            _isPartial = new bool[plan.Blocks.Count];
    }

    /// <summary>Completes the tree, once every block is there.</summary>
    /// <param name="plan">The step's plan.</param>
    /// <param name="blocks">Its blocks over the slice.</param>
    /// <param name="destination">[slice]: the sum over all microbatches.</param>
    public void Complete(ReductionPlan plan, IBlockSource blocks, Span<float> destination)
    {
        var size = plan.Merges.Count > 1 ? PieceElements : Math.Max(1, destination.Length);
        for (var start = 0; start < destination.Length; start += size)
            CompletePiece(plan, blocks, start, destination.Slice(start, Math.Min(size, destination.Length - start)));
    }

    private void CompletePiece(ReductionPlan plan, IBlockSource blocks, int start, Span<float> destination)
    {
        if (plan.Merges.Count == 0)
            blocks.Block(0).CopyTo(destination);
        Array.Clear(_isPartial);
        for (var i = 0; i < plan.Merges.Count; i++)
        {
            var (left, right) = plan.Merges[i];
            var sum = i == plan.Merges.Count - 1 ? destination : _partial[left].Span[..destination.Length];
            ReductionKernels.Add(Operand(blocks, left, start, destination.Length), Operand(blocks, right, start, destination.Length), sum);
            _isPartial[left] = true;
        }
    }

    private ReadOnlySpan<float> Operand(IBlockSource blocks, int place, int start, int length) =>
        _isPartial[place] ? _partial[place].Span[..length] : blocks.Block(place).Slice(start, length);
}
