using CsCheck;
using Distributed.Collectives;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

public sealed class ReductionTreeTests
{
    private static readonly Gen<(int Total, int[] Cuts)> Splits =
        from total in Gen.Int[1, 70]
        from cuts in Gen.Int[0, total].Array[0, 6]
        select (total, cuts.Append(0).Append(total).Order().ToArray());

    [Fact]
    public void Seven_microbatches_add_up_as_documented() =>
        Assert.Equal("(((0+1)+(2+3))+((4+5)+6))", Expression(ReductionTree.Nodes(0, 7, 7).SelectMany(b => Leaves(b)).ToList()));

    [Fact]
    public void Any_cut_into_ranges_gives_the_same_expression() =>
        Splits.Sample(split =>
        {
            var whole = Expression(Enumerable.Range(0, split.Total).Select(i => new TreeNode(i, 1)).ToList());
            var blocks = split
                .Cuts.Zip(split.Cuts.Skip(1))
                .SelectMany(range => ReductionTree.Nodes(range.First, range.Second, split.Total))
                .ToList();
            return Expression(blocks) == whole;
        });

    [Fact]
    public void A_range_has_at_most_two_blocks_a_level() =>
        Splits.Sample(split =>
            ReductionTree.Nodes(split.Cuts[0], split.Cuts[^1] / 2, split.Total).Count <= 2 * (int.Log2(split.Total) + 1)
        );

    [Fact]
    public void No_range_has_more_blocks_than_the_most()
    {
        for (var total = 1; total <= 40; total++)
        {
            var counts =
                from start in Enumerable.Range(0, total)
                from end in Enumerable.Range(start, total - start + 1)
                select ReductionTree.Nodes(start, end, total).Count;
            Assert.InRange(counts.Max(), 1, ReductionTree.MaximumNodes(total));
        }

        Assert.Equal(ReductionTree.Nodes(1, 31, 32).Count, ReductionTree.MaximumNodes(32));
    }

    [Fact]
    public void A_range_that_is_a_node_is_one_block()
    {
        Assert.Equal([new TreeNode(0, 7)], ReductionTree.Nodes(0, 7, 7));
        Assert.Equal([new TreeNode(4, 3)], ReductionTree.Nodes(4, 7, 7));
        Assert.Equal([new TreeNode(4, 4)], ReductionTree.Nodes(4, 8, 16));
        Assert.Empty(ReductionTree.Nodes(3, 3, 7));
    }

    [Fact]
    public void Blocks_that_leave_a_gap_or_are_no_nodes_are_refused()
    {
        Assert.Throws<ArgumentException>(() => ReductionTree.Merges([new TreeNode(0, 1), new TreeNode(2, 1)]));
        Assert.Throws<ArgumentException>(() => ReductionTree.Merges([new TreeNode(0, 1), new TreeNode(1, 2), new TreeNode(3, 1)]));
    }

    private static IEnumerable<TreeNode> Leaves(TreeNode block) =>
        Enumerable.Range(block.Start, block.Count).Select(i => new TreeNode(i, 1));

    // The sum as it is written: each block first by its own leaves, then the blocks by the merges.
    private static string Expression(IReadOnlyList<TreeNode> blocks)
    {
        var sums = blocks.Select(b => b.Count == 1 ? $"{b.Start}" : Expression(Leaves(b).ToList())).ToArray();
        foreach (var (left, right) in ReductionTree.Merges(blocks))
            sums[left] = $"({sums[left]}+{sums[right]})";
        return sums[0];
    }
}
