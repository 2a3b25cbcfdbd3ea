using Distributed.Collectives;
using Distributed.Kernels;
using Distributed.Model;
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

    private static (float[] Gradient, BatchSums Sums) Reduced(int workers)
    {
        var configuration = TinyRun.Configuration();
        var batch = configuration.Batches(TinyRun.Data.Train.Count).Of(step: 3);
        var plan = new ReductionPlan(batch.MicrobatchCount, workers);
        var members = Enumerable.Range(0, workers).Select(rank => Member(configuration, plan, batch, rank)).ToList();
        var gradient = LocalReduction.Complete(plan, [.. members.SelectMany(member => member.Blocks)]).ToArray();
        return (gradient, LossTree.Complete(members.SelectMany(member => member.Sums)));
    }

    private static (IReadOnlyList<AlignedBuffer> Blocks, IReadOnlyList<(TreeBlock, BatchSums)> Sums) Member(
        RunConfiguration configuration, ReductionPlan plan, Distributed.Data.Batch batch, int rank)
    {
        using var replica = new Replica(TrainingSettings.Of(configuration, TinyRun.Network), threads: 1);
        replica.Weights.State.Restore(InitialState.Of(configuration, TinyRun.Network, null));
        var (start, end) = plan.RangeOf(rank);
        var blocks = replica.ForwardBackward(plan, rank, new IndexedSamples(TinyRun.Data.Train, batch.Indices[batch.Rows(start, end)]));
        return ([.. blocks], [.. replica.Sums]);
    }
}
