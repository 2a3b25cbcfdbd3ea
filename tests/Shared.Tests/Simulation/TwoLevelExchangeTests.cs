using CsCheck;
using Distributed.Benchmarks.Simulation;
using Distributed.Collectives;
using Xunit;

namespace Distributed.Shared.Tests.Simulation;

public sealed class TwoLevelExchangeTests
{
    private static readonly Gen<(int Groups, int Group, int Microbatches)> Clusters = Gen.Select(
        Gen.Int[2, 7],
        Gen.Int[1, 6],
        Gen.Int[0, 4],
        (groups, group, level) => (groups, group, groups << level)
    );

    [Fact]
    public void Groups_are_nodes_of_the_one_tree() =>
        Clusters.Sample(cluster =>
        {
            var each = cluster.Microbatches / cluster.Groups;
            for (var group = 0; group < cluster.Groups; group++)
                Assert.Single(ReductionTree.Nodes(group * each, (group + 1) * each, cluster.Microbatches));
        });

    [Fact]
    public void The_sums_of_groups_and_then_between_them_are_the_one_sum() =>
        Clusters.Sample(cluster =>
        {
            ReductionPlan whole = new(cluster.Microbatches, cluster.Groups * cluster.Group);
            ReductionPlan inner = new(cluster.Microbatches / cluster.Groups, cluster.Group);
            ReductionPlan outer = new(cluster.Groups, cluster.Groups);
            var ofGroups = Enumerable.Range(0, cluster.Groups).Select(group => Sum(Names(inner, group * inner.Microbatches), inner));
            Assert.Equal(Sum(Names(whole, 0), whole), Sum(ofGroups, outer));
        });

    [Fact]
    public void A_group_of_another_size_is_refused()
    {
        ReductionPlan plan = new(12, Shares.Equal(4), [new(0, 64)]);
        Assert.Throws<ArgumentException>(() => Exchange.TwoLevel(plan, 2)); // six microbatches are no node
        Assert.Throws<ArgumentException>(() => Exchange.TwoLevel(plan, 3)); // four workers are not groups of three
    }

    // Twice the vector less what stays, as in the direct exchange; in each group and between them, over fewer peers.
    [Fact]
    public void Two_levels_send_the_bytes_of_one_in_fewer_messages()
    {
        const int groups = 8,
            group = 4,
            slice = 64;
        ReductionPlan plan = new(groups * group, Shares.Equal(groups * group), [new(0, groups * group * slice)]);
        var step = StepSimulator.Run(Exchange.TwoLevel(plan, group), StepSimulatorTests.Computing(plan, 1), Costs.Network(10));
        Assert.Equal(Enumerable.Range(0, plan.Workers).Select(plan.BytesSentBy), step.BytesSent);
        Assert.All(step.Messages, messages => Assert.Equal(2 * ((groups - 1) + (group - 1)), messages));
    }

    // Four rounds, one after the other: a slice of the group's, then one of the run's, and back.
    [Fact]
    public void Four_workers_in_two_groups_by_hand()
    {
        const int slice = 1024;
        const double latency = 100;
        ReductionPlan plan = new(4, Shares.Equal(4), [new(0, 4 * slice)]);
        Costs line = new(latency, 1.0 / (slice * sizeof(float)), 0, 0, 0, 0, HasSpareProcessor: true);
        Assert.Equal(
            (4 * latency) + 2 + 1 + 1 + 2,
            StepSimulator.Run(Exchange.TwoLevel(plan, 2), StepSimulatorTests.Computing(plan, 0), line).Seconds,
            1e-9
        );
    }

    [Fact]
    public void Any_cluster_ends_its_step() =>
        Clusters.Sample(cluster =>
        {
            var workers = cluster.Groups * cluster.Group;
            ReductionPlan plan = new(cluster.Microbatches, Shares.Equal(workers), [new(160, 480), new(0, 160)]);
            return StepSimulator
                    .Run(Exchange.TwoLevel(plan, cluster.Group), StepSimulatorTests.Computing(plan, 1), Costs.Network(1))
                    .Seconds > 0;
        });

    private static IEnumerable<string> Names(ReductionPlan plan, int first) =>
        plan.Nodes.Select(block => $"[{first + block.Start}, {first + block.End})");

    // The sum as it is written down, with its parentheses.
    private static string Sum(IEnumerable<string> blocks, ReductionPlan plan)
    {
        string[] sums = [.. blocks];
        foreach (var (left, right) in plan.Merges)
            sums[left] = $"({sums[left]} + {sums[right]})";
        return sums[0];
    }
}
