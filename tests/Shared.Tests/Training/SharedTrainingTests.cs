using Distributed.Collectives;
using Distributed.Protocol;
using Distributed.Shared.Tests.Collectives;
using Distributed.Shared.Tests.Kernels;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

/// <summary>Whole steps of several members, from the samples to the weights, with the exchange going on during the backward pass.</summary>
public sealed class SharedTrainingTests
{
    private const int Steps = 6; // the third batch is short

    // Each view trains two steps; the members keep their states from one to the next.
    [Theory]
    [InlineData(null, new[] { 1, 1 }, new[] { 1, 1 }, new[] { 1, 1 })]
    [InlineData(null, new[] { 1, 1 }, new[] { 12, 5 }, new[] { 1, 16 })]
    [InlineData(null, new[] { 1, 2, 0, 3 }, new[] { 4, 4, 8, 1 }, new[] { 1, 1, 1, 1 })]
    [InlineData(0.1, new[] { 1, 1, 1 }, new[] { 3, 9, 5 }, new[] { 0, 1, 0 })]
    public void Ranges_that_change_between_views_change_no_bit(double? clipNorm, int[] first, int[] second, int[] third)
    {
        var settings = Settings(clipNorm);
        var replicas = first.Select(_ => new Replica(settings, threads: 1)).ToList();
        foreach (var replica in replicas)
            replica.Weights.State.Restore(InitialState.Of(TinyRun.Configuration(), TinyRun.Network, null));
        Train(replicas, first, firstStep: 1);
        Train(replicas, second, firstStep: 3);
        Train(replicas, third, firstStep: 5);

        var expected = Reference(settings);
        Assert.All(replicas, replica => BitAssert.Equal(expected, replica.Weights.State.Weights.Span.ToArray(), "weights"));
        replicas.ForEach(replica => replica.Dispose());
    }

    private static TrainingSettings Settings(double? clipNorm)
    {
        var configuration = TinyRun.Configuration();
        var settings = TrainingSettings.Of(configuration, TinyRun.Network, configuration.CreateObjective(TinyRun.Data));
        return settings with { Optimizer = settings.Optimizer with { ClipNorm = clipNorm } };
    }

    private static float[] Reference(TrainingSettings settings)
    {
        var configuration = TinyRun.Configuration();
        using var trainer = new LocalTrainer(settings, TinyRun.Data, configuration.Batches(TinyRun.Data.Train.Count), threads: 1);
        trainer.State.Restore(InitialState.Of(configuration, TinyRun.Network, null));
        for (var step = 0; step < Steps; step++)
            trainer.Step();
        return trainer.State.Weights.Span.ToArray();
    }

    private static void Train(List<Replica> replicas, int[] shares, long firstStep)
    {
        var buckets = new Bucket[] { new(320, TinyRun.Network.Layout.Length), new(0, 320) };
        var memories = shares.Select(_ => new PrivateMemory(TinyRun.Network.Layout.Length)).ToList();
        var transports = InPlaceTransport.Connect(new ReductionPlan(1, shares, buckets), memories);
        var names = shares.Select((_, rank) => $"worker {rank}").ToList();
        Task.WaitAll(
            [
                .. replicas.Select(
                    (replica, rank) =>
                        Task.Factory.StartNew(
                            () =>
                            {
                                var exchange = new AllReduce(
                                    new ViewIdentity(1, new ViewGeneration(1, 1), rank, names),
                                    new ReductionPlans(shares, buckets),
                                    memories[rank]
                                );
                                exchange.Use(transports[rank], Enumerable.Range(0, shares.Length).Where(peer => peer != rank));
                                Step(replica, exchange, memories[rank], shares, rank, firstStep);
                                Step(replica, exchange, memories[rank], shares, rank, firstStep + 1);
                            },
                            TestContext.Current.CancellationToken,
                            TaskCreationOptions.LongRunning,
                            TaskScheduler.Default
                        )
                ),
            ],
            TestContext.Current.CancellationToken
        );
    }

    private static void Step(Replica replica, AllReduce exchange, ExchangeMemory memory, int[] shares, int rank, long step)
    {
        var batch = TinyRun.Configuration().Batches(TinyRun.Data.Train.Count).Of(step);
        var (start, end) = new ReductionPlan(batch.MicrobatchCount, shares, []).RangeOf(rank);
        var samples = new IndexedSamples(TinyRun.Data.Train, batch.Indices[batch.Rows(start, end)]);
        new TrainingStep(replica, exchange, memory, rank).Train(
            step,
            new MemberBatch(batch.MicrobatchCount, batch.Indices.Length, samples),
            ExchangeMember.Deadline()
        );
    }
}
