using System.Numerics;
using Distributed.Collectives;

namespace Distributed.Benchmarks.Simulation;

/// <summary>The rounds in which every worker exchanges a step's gradient, and who computes what before.</summary>
internal sealed class Exchange
{
    private readonly Round[][] _rounds;

    private Exchange(ReductionPlan plan, Func<int, Round[]> roundsOf)
    {
        Plan = plan;
        _rounds = [.. Enumerable.Range(0, plan.Workers).Select(roundsOf)];
    }

    /// <summary>Who computes which microbatches, and what is exchanged as one.</summary>
    public ReductionPlan Plan { get; }

    /// <summary>A worker's rounds, in order; those that sum come first.</summary>
    public Round[] RoundsOf(int worker) => _rounds[worker];

    /// <summary>The exchange of the product: reduce-scatter to the owners of the slices, then all-gather.</summary>
    public static Exchange Direct(ReductionPlan plan) =>
        new(plan, rank =>
            [new Round(plan, rank, first: 0, stride: 1, isGather: false), new Round(plan, rank, first: 0, stride: 1, isGather: true)]
        );

    /// <summary>
    /// Reduce-scatter inside groups, then reduce-scatter and all-gather of each slice between the groups, then all-gather inside them. A
    /// group sums one node of the tree, so the sum is the one of <see cref="ReductionTree"/>.
    /// </summary>
    /// <param name="plan">Who computes which microbatches, and the buckets.</param>
    /// <param name="group">Workers of a group.</param>
    /// <exception cref="ArgumentException">
    /// The workers do not make whole groups, or the microbatches of a group are not a node of the tree.
    /// </exception>
    public static Exchange TwoLevel(ReductionPlan plan, int group)
    {
        var (groups, rest) = Math.DivRem(plan.Workers, group);
        if (rest != 0 || plan.Microbatches % groups != 0 || !BitOperations.IsPow2(plan.Microbatches / groups))
        {
            throw new ArgumentException(
                $"{groups} groups of {group} do not each hold a node of the tree over {plan.Microbatches} microbatches",
                nameof(group)
            );
        }

        var inner = new ReductionPlan(plan.Microbatches / groups, Shares.Equal(group), plan.Buckets);
        ReductionPlan[] outer = [.. Enumerable.Range(0, group).Select(member => Between(groups, inner, member))];
        return new Exchange(plan, worker =>
        {
            var (place, member) = Math.DivRem(worker, group);
            Round Inside(bool isGather) => new(inner, member, place * group, stride: 1, isGather);
            Round Across(bool isGather) => new(outer[member], place, member, group, isGather);
            return [Inside(isGather: false), Across(isGather: false), Across(isGather: true), Inside(isGather: true)];
        });
    }

    // Each group holds one block of a tree over the groups; what is exchanged is a member's slice of each bucket.
    private static ReductionPlan Between(int groups, ReductionPlan inner, int member) =>
        new(groups, Shares.Equal(groups), [.. Enumerable.Range(0, inner.Buckets.Count).Select(bucket => inner.SliceOf(bucket, member))]);
}
