namespace Distributed.Collectives;

/// <summary>
/// A node of the reduction tree: the microbatches [<paramref name="Start"/>, <paramref name="Start"/> + <paramref name="Count"/>).
/// </summary>
/// <param name="Start">The first microbatch; a multiple of <paramref name="Count"/> rounded up to a power of two.</param>
/// <param name="Count">How many microbatches the node covers; less than a power of two only where the batch ends.</param>
internal readonly record struct TreeNode(int Start, int Count)
{
    /// <summary>One past the last microbatch.</summary>
    public int End => Start + Count;
}

/// <summary>The addition <c>left = left + right</c> of two nodes, named by their places in a list of nodes.</summary>
/// <param name="Left">The place of the node that is added to.</param>
/// <param name="Right">The place of the node that is added.</param>
internal readonly record struct TreeMerge(int Left, int Right);

/// <summary>
/// The one order in which anything is summed over the microbatches of a step: a binary tree over their indices, padded to
/// a power of two; where a right child is absent, the left one passes through. Seven microbatches:
/// <c>((0+1)+(2+3)) + ((4+5)+6)</c>. The holder of a node can compute its sum alone; the bits do not depend on which
/// member holds which node.
/// </summary>
internal static class ReductionTree
{
    /// <summary>
    /// The maximal nodes of the tree over <paramref name="total"/> microbatches that lie inside a range, in ascending order.
    /// </summary>
    /// <param name="start">The first microbatch of the range.</param>
    /// <param name="end">One past the last microbatch of the range.</param>
    /// <param name="total">The number of microbatches in the step.</param>
    /// <returns>At most two per level of the tree; none for an empty range.</returns>
    public static IReadOnlyList<TreeNode> Nodes(int start, int end, int total)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfLessThan(end, start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, total);
        var nodes = new List<TreeNode>();
        while (start < end)
        {
            nodes.Add(Largest(start, end, total));
            start = nodes[^1].End;
        }

        return nodes;
    }

    /// <summary>
    /// The most maximal nodes that any range of a step's microbatches holds: two per level below the root, or the root alone.
    /// </summary>
    /// <param name="total">The number of microbatches in the step, at least 1.</param>
    public static int MaximumNodes(int total)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(total);
        return Math.Max(1, 2 * (System.Numerics.BitOperations.Log2((uint)Span(total)) - 1));
    }

    /// <summary>The additions that complete the tree over a list of its nodes; the sum ends in the first of them.</summary>
    /// <param name="nodes">
    /// Nodes of the tree in ascending order that together cover every microbatch from the first one's start on.
    /// </param>
    /// <returns>One addition less than there are nodes, children before parents.</returns>
    /// <exception cref="ArgumentException">The nodes leave a gap or are not nodes of the tree.</exception>
    public static IReadOnlyList<TreeMerge> Merges(IReadOnlyList<TreeNode> nodes)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        if (nodes.Count == 0)
            return [];
        var end = nodes[^1].End;
        var merges = new List<TreeMerge>(nodes.Count - 1);
        var next = 0;
        Complete(nodes[0].Start, Span(end - nodes[0].Start));
        return next == nodes.Count ? merges : throw NotATree(nodes[next]);

        // Adds up the node [start, start + span), cut off at the end; returns the place whose buffer holds its sum.
        int Complete(int start, int span)
        {
            var node = nodes[next];
            if (node.Start == start && node.End == Math.Min(start + span, end))
                return next++;
            if (node.Start != start || span == 1)
                throw NotATree(node);
            var left = Complete(start, span / 2);
            if (start + (span / 2) < end)
                merges.Add(new TreeMerge(left, Complete(start + (span / 2), span / 2)));
            return left;
        }

        static ArgumentException NotATree(TreeNode node) =>
            new($"Node [{node.Start}, {node.End}) is not the next node of one tree.", nameof(nodes));
    }

    /// <summary>The size of the left child of a node with more than one microbatch: the largest power of two below its count.</summary>
    /// <param name="count">The node's number of microbatches, at least 2.</param>
    public static int LeftCount(int count) => Span(count) / 2;

    private static TreeNode Largest(int start, int end, int total)
    {
        var span = 1;
        while (start % (span * 2) == 0 && span < total && Math.Min(start + (span * 2), total) <= end)
            span *= 2;
        return new TreeNode(start, Math.Min(span, total - start));
    }

    private static int Span(int count) => (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count);
}
