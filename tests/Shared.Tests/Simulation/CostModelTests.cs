using Distributed.Benchmarks.Simulation;
using Distributed.Collectives;
using Xunit;

namespace Distributed.Shared.Tests.Simulation;

/// <summary>The closed form against the simulation, within what docs/scaling.md says of it.</summary>
public sealed class CostModelTests
{
    private const double Aligned = 0.08;
    private const double Unaligned = 0.15;

    public static TheoryData<string, double> Cases =>
        [.. from workload in Workloads.All from gigabits in new[] { 1.0, 10, 25 } select (workload.Name, gigabits)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Ranges_that_are_nodes_are_predicted_within_eight_percent(string name, double gigabits)
    {
        foreach (var workers in new[] { 1, 2, 3, 8, 32, 100 })
            AssertPredicted(name, workers, microbatches: 4 * workers, Costs.Network(gigabits), Aligned);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Other_ranges_are_predicted_within_fifteen_percent(string name, double gigabits)
    {
        foreach (var workers in new[] { 3, 12, 50, 100 })
            AssertPredicted(name, workers, microbatches: 128, Costs.Network(gigabits), Unaligned);
    }

    [Fact]
    public void Two_workers_on_two_processors_are_predicted_within_eight_percent()
    {
        foreach (var workload in Workloads.All)
        {
            AssertPredicted(workload.Name, 2, microbatches: 8, Costs.Loopback, Aligned);
            AssertPredicted(workload.Name, 2, microbatches: 8, Costs.SharedMemory, Aligned);
        }
    }

    [Fact]
    public void The_most_messages_are_those_of_the_simulation()
    {
        var plan = Plan(Workloads.All[1], workers: 12, microbatches: 128);
        var step = StepSimulator.Run(Exchange.Direct(plan), Workloads.All[1], Costs.Network(10));
        Assert.Equal(CostModel.Messages(plan), step.Messages.Max());
    }

    private static void AssertPredicted(string name, int workers, int microbatches, Costs costs, double tolerance)
    {
        var workload = Workloads.All.Single(one => one.Name == name);
        var plan = Plan(workload, workers, microbatches);
        var simulated = StepSimulator.Run(Exchange.Direct(plan), workload, costs).Seconds;
        var model = CostModel.Seconds(plan, workload, costs);
        Assert.True(
            Math.Abs(simulated - model) <= tolerance * model,
            $"{workers} workers: the model says {model}, the simulation {simulated}"
        );
    }

    private static ReductionPlan Plan(Workload workload, int workers, int microbatches) =>
        new(microbatches, Shares.Equal(workers), Buckets.Of(workload.Layout, workers));
}
