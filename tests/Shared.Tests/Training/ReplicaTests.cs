using Distributed.Collectives;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Shared.Tests.Kernels;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class ReplicaTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(20)] // more than microbatches
    public void The_blocks_of_any_number_of_members_make_the_gradient_and_the_loss_of_one(int workers)
    {
        var (gradient, sums) = Reduced(workers: 1);
        var (shared, sharedSums) = Reduced(workers);
        Assert.Equal(gradient, shared);
        Assert.Equal(sums, sharedSums);
    }

    [Theory]
    [InlineData(1, "sgd", null)]
    [InlineData(2, "sgd", 1.0)]
    [InlineData(3, "adamw", null)]
    public void A_warmed_step_allocates_nothing_on_any_thread(int threads, string optimizer, double? clipNorm)
    {
        var configuration = TinyRun.Configuration();
        var settings = TrainingSettings.Of(configuration, TinyRun.Network, configuration.CreateObjective(TinyRun.Data)) with
        {
            Optimizer = OptimizerOptions.Find(optimizer)! with { ClipNorm = clipNorm },
        };
        using var replica = new Replica(settings, threads);
        TinyRun.Network.InitializeWeights(seed: 1, replica.Weights.State.Weights.Span);
        var batch = configuration.Batches(TinyRun.Data.Train.Count).Of(step: 3);
        var plan = new ReductionPlan(batch.MicrobatchCount, workers: 2);
        var (start, end) = plan.RangeOf(rank: 1);
        var samples = new IndexedSamples(TinyRun.Data.Train, batch.Indices[batch.Rows(start, end)]);
        Assert.True(plan.PlacesOf(rank: 1).Count > 1);
        using var memory = new PrivateMemory(settings.Network.Layout.Length);
        AllocationAssert.NothingOnceWarm(
            () =>
            {
                replica.ForwardBackward(plan, rank: 1, samples, memory);
                replica.Weights.Update(samples.Count, memory.Node(0).Span);
            },
            replica.Team
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Updates_beside_the_backward_pass_make_the_weights_of_one_after_it_and_allocate_nothing(int threads)
    {
        var configuration = TinyRun.Configuration();
        // Wide enough for threads to share its update.
        var network = new Network(ModelSpec.Parse("mlp:300,300"), TinyRun.Data.Shape, TinyRun.Data.ClassNames.Count);
        var settings = TrainingSettings.Of(configuration, network, configuration.CreateObjective(TinyRun.Data));
        using var after = new Replica(settings, threads: 1);
        using var beside = new Replica(settings, threads);
        network.InitializeWeights(seed: 1, after.Weights.State.Weights.Span);
        network.InitializeWeights(seed: 1, beside.Weights.State.Weights.Span);
        var batch = configuration.Batches(TinyRun.Data.Train.Count).Of(step: 1);
        var samples = new IndexedSamples(TinyRun.Data.Train, batch.Indices);
        var plans = new ReductionPlans([1], Buckets.Of(network.Layout, owners: 1));
        using var memory = new PrivateMemory(network.Layout.Length);
        var exchange = new AllReduce(new ViewIdentity(Run: 0, default, Rank: 0, ["alone"]), plans, memory);
        AllocationAssert.NothingOnceWarm(
            () =>
            {
                beside.Weights.Begin(batch.Indices.Length);
                var plan = exchange.Begin(beside.Weights.State.Step + 1, batch.MicrobatchCount, beside.Weights);
                beside.ForwardBackward(plan, rank: 0, samples, memory, exchange);
                exchange.PublishRecord();
                exchange.Complete();
                beside.Weights.Complete();
            },
            beside.Team
        );
        while (after.Weights.State.Step < beside.Weights.State.Step)
        {
            after.ForwardBackward(plans.For(batch.MicrobatchCount), rank: 0, samples, memory);
            after.Weights.Update(batch.Indices.Length, memory.Node(0).Span);
        }

        BitAssert.Equal(after.Weights.State.Weights.Span.ToArray(), beside.Weights.State.Weights.Span.ToArray(), "weights");
    }

    private static (float[] Gradient, BatchSums Sums) Reduced(int workers)
    {
        var configuration = TinyRun.Configuration();
        var batch = configuration.Batches(TinyRun.Data.Train.Count).Of(step: 3);
        var plan = new ReductionPlan(batch.MicrobatchCount, workers);
        var members = Enumerable.Range(0, workers).Select(rank => Member(configuration, plan, batch, rank)).ToList();
        float[][] gradients = [.. members.SelectMany(member => member.Nodes)];
        foreach (var (left, right) in plan.Merges)
            gradients[left] = [.. gradients[left].Zip(gradients[right], (a, b) => a + b)];
        var gradient = gradients[0];
        var sums = members.SelectMany(member => member.Sums).Select(node => node.Sums).ToArray();
        foreach (var (left, right) in plan.Merges)
            sums[left] = BatchSums.Merge(sums[left], sums[right]);
        return (gradient, sums[0]);
    }

    private static (IReadOnlyList<float[]> Nodes, IReadOnlyList<(TreeNode Node, BatchSums Sums)> Sums) Member(
        RunConfiguration configuration,
        ReductionPlan plan,
        Distributed.Data.Batch batch,
        int rank
    )
    {
        using var replica = new Replica(
            TrainingSettings.Of(configuration, TinyRun.Network, configuration.CreateObjective(TinyRun.Data)),
            threads: 1
        );
        replica.Weights.State.Restore(InitialState.Of(configuration, TinyRun.Network, null));
        var (start, end) = plan.RangeOf(rank);
        var memory = new PrivateMemory(TinyRun.Network.Layout.Length);
        replica.ForwardBackward(plan, rank, new IndexedSamples(TinyRun.Data.Train, batch.Indices[batch.Rows(start, end)]), memory);
        return ([.. Enumerable.Range(0, plan.PlacesOf(rank).Count).Select(place => memory.Node(place).ToArray())], [.. replica.Sums]);
    }
}
