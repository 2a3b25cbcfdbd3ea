using Distributed.Collectives;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>Adds up what the members report of a step or an evaluation, along the same tree as the gradient.</summary>
public static class LossTree
{
    /// <summary>The sums over all microbatches.</summary>
    /// <param name="blocks">The blocks of all members, in any order.</param>
    /// <exception cref="ArgumentException">They do not make one tree.</exception>
    public static BatchSums Complete(IEnumerable<(TreeNode Block, BatchSums Sums)> blocks)
    {
        var ordered = blocks.OrderBy(entry => entry.Block.Start).ToList();
        if (ordered.Count == 0)
            throw new ArgumentException("There is no block.", nameof(blocks));
        var sums = ordered.Select(entry => entry.Sums).ToArray();
        foreach (var (left, right) in ReductionTree.Merges([.. ordered.Select(entry => entry.Block)]))
            sums[left] = BatchSums.Merge(sums[left], sums[right]);
        return sums[0];
    }
}
