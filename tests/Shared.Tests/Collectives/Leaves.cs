using Distributed.Collectives;
using Distributed.Random;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>
/// The gradients of a step's microbatches, drawn so that any other order of summation gives other bits, and their sum done naively.
/// </summary>
/// <param name="Seed">What they are drawn from.</param>
/// <param name="Length">The flat vector's length.</param>
internal sealed record Leaves(ulong Seed, int Length)
{
    /// <summary>The sum over all microbatches along the tree over their indices padded to a power of two.</summary>
    public float[] Sum(long step, int microbatches)
    {
        var span = 1;
        while (span < microbatches)
            span *= 2;
        return Node(step, 0, span, microbatches);
    }

    /// <summary>Writes a member's nodes of a plan to where it publishes them.</summary>
    public void Compute(long step, ReductionPlan plan, int rank, ExchangeMemory memory)
    {
        var (first, count) = plan.PlacesOf(rank);
        for (var i = 0; i < count; i++)
            Node(step, plan.Nodes[first + i]).CopyTo(memory.Node(i));
    }

    private float[] Node(long step, TreeNode node)
    {
        var span = 1;
        while (span < node.Count)
            span *= 2;
        return Node(step, node.Start, span, node.End);
    }

    private float[] Node(long step, int start, int span, int end)
    {
        if (span == 1)
            return Leaf(step, start);
        var left = Node(step, start, span / 2, end);
        return start + (span / 2) >= end ? left : [.. left.Zip(Node(step, start + (span / 2), span / 2, end), (a, b) => a + b)];
    }

    private float[] Leaf(long step, int microbatch)
    {
        var random = new CounterRandom(Seed, RandomPurpose.Dropout, ((ulong)step << 32) | (uint)microbatch);
        return
        [
            .. Enumerable
                .Range(0, Length)
                .Select(element => (random.Uniform((ulong)element) - 0.5f) * (1 << (int)random.Below((ulong)(element + Length), 20))),
        ];
    }
}
