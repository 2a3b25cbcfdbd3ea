using Distributed.Kernels;

namespace Distributed.Collectives;

/// <summary>
/// The owner of a slice: takes the sums of all blocks over the slice, its own in place and those of others as they arrive,
/// and completes the reduction tree. The order of arrival decides nothing.
/// </summary>
/// <param name="start">The slice's first element in the flat vector.</param>
/// <param name="length">The slice's length in elements.</param>
internal sealed class SliceReducer(int start, int length)
{
    private readonly List<AlignedBuffer> _received = [];

    /// <summary>The slice's length in elements.</summary>
    public int Length => length;

    /// <summary>Makes room for the blocks of a plan; only between steps.</summary>
    public void Reserve(ReductionPlan plan)
    {
        while (_received.Count < plan.Blocks.Count)
            _received.Add(new AlignedBuffer(length));
    }

    /// <summary>Takes a piece of a block that another member has summed.</summary>
    /// <param name="place">The block's place in the plan.</param>
    /// <param name="offset">Where the piece begins in the flat vector.</param>
    /// <param name="values">The piece.</param>
    /// <exception cref="InvalidDataException">The piece does not lie in the slice.</exception>
    public void Store(int place, long offset, ReadOnlySpan<float> values)
    {
        if (offset < start || offset - start > length - values.Length)
            throw new InvalidDataException($"a block's values [{offset}, {offset + values.Length}) lie outside the slice [{start}, {start + length})");
        values.CopyTo(_received[place].Span[(int)(offset - start)..]);
    }

    /// <summary>Completes the tree over a part of the slice, once every block is there.</summary>
    /// <param name="plan">The step's plan.</param>
    /// <param name="first">The place of the first block of this member.</param>
    /// <param name="own">This member's blocks over the whole flat vector; inside the part they are used as scratch.</param>
    /// <param name="part">Which elements of the slice, counted from its start.</param>
    /// <param name="destination">[part]: the sum over all microbatches.</param>
    public void Complete(ReductionPlan plan, int first, IReadOnlyList<AlignedBuffer> own, Range part, Span<float> destination)
    {
        if (plan.Merges.Count == 0)
            Block(0).CopyTo(destination);
        for (var i = 0; i < plan.Merges.Count; i++)
        {
            var (left, right) = plan.Merges[i];
            ReductionKernels.Add(Block(left), Block(right), i == plan.Merges.Count - 1 ? destination : Block(left));
        }

        Span<float> Block(int place) => place >= first && place < first + own.Count
            ? own[place - first].Span.Slice(start, length)[part]
            : _received[place].Span[part];
    }
}
