using Distributed.Collectives;
using Distributed.Data;
using Distributed.Model;
using Distributed.Protocol;
using Distributed.Shared.Tests.Collectives;
using Distributed.Shared.Tests.Data;
using Distributed.Shared.Tests.Kernels;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

/// <summary>Steps that exchange and update only the rows of tables that they touch give the bits of steps that update all.</summary>
public sealed class SparseTrainingTests : IDisposable
{
    private const int Steps = 6;

    // Far above any norm: the scale is 1 to the bit, and a clipped gradient is taken as a whole.
    private const double NoLimit = 1e30;

    private static readonly SgdOptions Plain = new() { Momentum = 0, LearningRate = 0.3 };

    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(40, 1)]
    [InlineData(40, 2)]
    [InlineData(3, 1)]
    [InlineData(1200, 2)] // all rows
    public void OneMemberUpdatesTheRowsThatItTouches(int batchSize, int threads)
    {
        var data = Load();
        var sparse = Settings(data, Plain, batchSize);
        Assert.NotNull(sparse.Settings.TablesOfRows);
        var dense = Settings(data, Plain with { ClipNorm = NoLimit }, batchSize);
        Assert.Null(dense.Settings.TablesOfRows);
        BitAssert.Equal(Reference(dense, data, threads), Reference(sparse, data, threads), "weights");
    }

    [Fact]
    public void AStepOfFewSamplesTouchesFewRows()
    {
        var data = Load();
        var run = Settings(data, Plain, batchSize: 40);
        var rows = new StepRows(run.Settings.TablesOfRows!, data.Train);
        Assert.InRange(rows.Of(Enumerable.Range(0, 40).ToArray()).Rows.Length, 41, 80);
        Assert.True(rows.Of(Enumerable.Range(0, 1200).ToArray()).AreAll);
        Assert.Equal(rows.Of([5, 3, 9]).Rows, rows.Of([5, 3, 9]).Rows);
    }

    // Each view trains two steps. In the third, the first member has got its state anew from the last one.
    [Theory]
    [InlineData(40, new[] { 1, 1 }, new[] { 1, 1 })]
    [InlineData(40, new[] { 1, 2, 0, 3 }, new[] { 4, 4, 8, 1 })]
    [InlineData(3, new[] { 1, 1, 1 }, new[] { 0, 1, 0 })]
    [InlineData(1200, new[] { 1, 2, 3 }, new[] { 3, 2, 1 })]
    public void AnyNumberOfMembersExchangesTheRowsThatTheStepTouches(int batchSize, int[] first, int[] second)
    {
        var data = Load();
        foreach (var optimizer in new OptimizerOptions[] { Plain, new AdagradOptions() })
        {
            var run = Settings(data, optimizer, batchSize);
            var replicas = first.Select(_ => new Replica(run.Settings, threads: 1)).ToList();
            foreach (var replica in replicas)
                replica.Weights.State.Restore(InitialState.Of(run.Configuration, run.Settings.Network, null));
            Train(run, data, replicas, first, firstStep: 1);
            Train(run, data, replicas, second, firstStep: 3);
            var joined = replicas[0].Weights;
            var (from, to) = (replicas[^1].Weights.State, joined.OverwriteSpare());
            foreach (var (source, copy) in from.Moments.Prepend(from.Weights).Zip(to.Moments.Prepend(to.Weights)))
                source.Span.CopyTo(copy.Span);
            joined.Restore(joined.State.Step);
            Train(run, data, replicas, first, firstStep: 5);

            var expected = Reference(run, data, threads: 1);
            Assert.All(replicas, replica => BitAssert.Equal(expected, replica.Weights.State.Weights.Span.ToArray(), "weights"));
            replicas.ForEach(replica => replica.Dispose());
        }
    }

    [Fact]
    public void AStepThatWasGivenUpLeavesTheStateAsItWas()
    {
        var data = Load();
        var run = Settings(data, new AdagradOptions(), batchSize: 40);
        using var replica = new Replica(run.Settings, threads: 1);
        replica.Weights.State.Restore(InitialState.Of(run.Configuration, run.Settings.Network, null));
        var rows = new StepRows(run.Settings.TablesOfRows!, data.Train);
        using var stopped = new CancellationTokenSource();
        stopped.Cancel();
        for (var step = 1; step <= Steps; step++)
        {
            Assert.ThrowsAny<OperationCanceledException>(() => Alone(step, stopped.Token));
            Alone(step, CancellationToken.None);
        }

        BitAssert.Equal(Reference(run, data, threads: 1), replica.Weights.State.Weights.Span.ToArray(), "weights");

        void Alone(long step, CancellationToken stop)
        {
            var batch = run.Configuration.Batches(data.Train.Count).Of(step);
            using var memory = new PrivateMemory(run.Settings.Network.Layout.Length);
            var plans = new ReductionPlans(Shares.Equal(1), Buckets.Of(run.Settings.Network.Layout, owners: 1));
            var exchange = new AllReduce(new ViewIdentity(1, default, 0, ["this process"]), plans, memory);
            var samples = new IndexedSamples(data.Train, batch.Indices);
            new TrainingStep(replica, exchange, memory, rank: 0).Train(
                step,
                new MemberBatch(batch.MicrobatchCount, samples.Count, samples, rows.Of(batch.Indices.Span)),
                stop
            );
        }
    }

    [Theory]
    [InlineData("sgd", 0.9, 0, null, false)]
    [InlineData("sgd", 0, 0.1, null, false)]
    [InlineData("sgd", 0, 0, 1.0, false)]
    [InlineData("sgd", 0, 0, null, true)]
    [InlineData("adam", 0, 0, null, false)]
    [InlineData("adamw", 0, 0, null, false)]
    [InlineData("adagrad", 0, 0, null, true)]
    [InlineData("adagrad", 0, 0.1, null, false)]
    public void RowsAreLeftAloneOnlyByRulesThatDoSo(string name, double momentum, double decay, double? clipNorm, bool leaves)
    {
        var optimizer = OptimizerOptions.Find(name)! with { WeightDecay = decay, ClipNorm = clipNorm };
        if (optimizer is SgdOptions sgd)
            optimizer = sgd with { Momentum = momentum };
        Assert.Equal(leaves, Settings(Load(), optimizer, 40).Settings.TablesOfRows is not null);
    }

    private static (TrainingSettings Settings, RunConfiguration Configuration) Settings(
        Dataset data,
        OptimizerOptions optimizer,
        int batchSize
    )
    {
        const string model =
            """{"layers":[{"type":"piecewise","edges":[[-1,0,1]]},{"type":"embedding","dimensions":[5,3]},{"type":"dense","units":11},{"type":"relu"}]}""";
        var configuration = RunConfiguration.Resolve(
            new TrainingOptions
            {
                BatchSize = batchSize,
                Microbatch = Math.Min(7, batchSize),
                Steps = Steps,
                Optimizer = optimizer,
            },
            data,
            model,
            initWeightsSha256: null
        );
        var network = new Network(ModelSpec.FromJson(model, "the model"), data.Inputs, data.OutputWidth);
        return (TrainingSettings.Of(configuration, network, configuration.CreateObjective(data)), configuration);
    }

    private static float[] Reference((TrainingSettings Settings, RunConfiguration Configuration) run, Dataset data, int threads)
    {
        using var trainer = new LocalTrainer(run.Settings, data, run.Configuration.Batches(data.Train.Count), threads);
        trainer.State.Restore(InitialState.Of(run.Configuration, run.Settings.Network, null));
        for (var step = 0; step < Steps; step++)
            trainer.Step();
        return trainer.State.Weights.Span.ToArray();
    }

    private static void Train(
        (TrainingSettings Settings, RunConfiguration Configuration) run,
        Dataset data,
        List<Replica> replicas,
        int[] shares,
        long firstStep
    )
    {
        var length = run.Settings.Network.Layout.Length;
        var buckets = new Bucket[] { new(880, length), new(640, 880), new(208, 640), new(0, 208) }; // rows lie across some of the cuts
        var memories = shares.Select(_ => new PrivateMemory(length)).ToList();
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
                                var rows = new StepRows(run.Settings.TablesOfRows!, data.Train);
                                for (var step = firstStep; step < firstStep + 2; step++)
                                    Step(step, rows, exchange, replica, rank);
                            },
                            TestContext.Current.CancellationToken,
                            TaskCreationOptions.LongRunning,
                            TaskScheduler.Default
                        )
                ),
            ],
            TestContext.Current.CancellationToken
        );

        void Step(long step, StepRows rows, AllReduce exchange, Replica replica, int rank)
        {
            var batch = run.Configuration.Batches(data.Train.Count).Of(step);
            var (start, end) = new ReductionPlan(batch.MicrobatchCount, shares, []).RangeOf(rank);
            var samples = new IndexedSamples(data.Train, batch.Indices[batch.Rows(start, end)]);
            new TrainingStep(replica, exchange, memories[rank], rank).Train(
                step,
                new MemberBatch(batch.MicrobatchCount, batch.Indices.Length, samples, rows.Of(batch.Indices.Span)),
                ExchangeMember.Deadline()
            );
        }
    }

    private Dataset Load()
    {
        var rows = Enumerable.Range(0, 2000).Select(row => $"{row % 7},a{row * 7 % 151},b{row * 11 % 41},{row % 3}");
        return DatasetLoader.Load(new DataOptions { Data = _folder.Write("table.csv", $"n,a,b,class\n{string.Join('\n', rows)}\n") });
    }
}
