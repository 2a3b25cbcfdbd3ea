using Distributed.Collectives;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Shared.Tests.Kernels;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class BlockComputationTests : IDisposable
{
    private static readonly ModelSpec Model = ModelSpec.FromJson(
        """
        {"layers":[{"type":"dropout","rate":0.25},{"type":"dense","units":9},{"type":"tanh"},
        {"type":"residual","layers":[{"type":"dense","units":9},{"type":"dropout","rate":0.5}]}]}
        """,
        "test"
    );

    private static readonly TrainingSettings Settings = TrainingSettings.Of(
        TinyRun.Configuration(),
        new Network(Model, TinyRun.Data.Shape, 10),
        TinyRun.Configuration().CreateObjective(TinyRun.Data)
    );

    private readonly ComputeTeam _team = new(2);

    public void Dispose() => _team.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void RowsOfAPassChangeNoBit(int microbatches)
    {
        var (expected, gradient) = Step(passMicrobatches: 32);
        var (sums, other) = Step(microbatches);
        Assert.Equal(expected, sums);
        BitAssert.Equal(gradient, other, $"{microbatches} microbatches in a pass");
    }

    [Theory]
    [InlineData("mlp", 32, 512)]
    [InlineData("mlp", 7, 448)] // 64 microbatches of 7
    [InlineData("mlp", 700, 700)] // never less than a microbatch
    [InlineData("mlp:65536", 32, 32)] // its activations are large
    public void APassIsAPowerOfTwoOfMicrobatchesThatFitInMemory(string model, int microbatch, int rows) =>
        Assert.Equal(rows, NetworkExecutor.RowsInOnePass(new Network(ModelSpec.Parse(model), new SampleShape(1, 28, 28), 10), microbatch));

    [Fact]
    public void AMicrobatchWhoseSamplesDoNotFitInAnArrayIsRefused()
    {
        const int rows = 1 << 24; // of 784 values
        var settings = Settings with
        {
            Network = new Network(new ModelSpec([]), new SampleShape(1, 28, 28), 2),
            Objective = new Classification(2),
            Microbatch = rows,
        };
        var failure = Assert.Throws<InputException>(() => new NodeComputation(settings, rows, _team));
        Assert.Equal("16777216 samples of 784 values do not fit in one array: use a smaller microbatch or layer", failure.Message);
    }

    // With several passes, a part is complete only when the sums above the last pass are.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(32)]
    public void PartsOfTheGradientAreFinalWhenTheyAreSaidToBe(int passMicrobatches)
    {
        (_, var expected) = Step(passMicrobatches);
        List<(int Offset, float[] Part)> parts = [];
        var gradient = new float[expected.Length];
        Step(passMicrobatches, gradient, new Watch(offset => parts.Add((offset, gradient.AsSpan(offset).ToArray()))));
        Assert.True(parts.Select(part => part.Offset).Distinct().Count() > 2);
        Assert.Equal(0, parts[^1].Offset);
        Assert.All(parts, part => BitAssert.Equal(expected.AsSpan(part.Offset).ToArray(), part.Part, $"from {part.Offset}"));
    }

    [Fact]
    public void NobodyIsToldOfAGradientWhoseLossIsNotFinite()
    {
        var weights = new float[Settings.Network.Layout.Length];
        weights.AsSpan().Fill(float.NaN);
        var told = false;
        var sums = Step(passMicrobatches: 32, new float[weights.Length], new Watch(_ => told = true), weights);
        Assert.False(float.IsFinite(sums.Loss) || told);
    }

    private (BatchSums Sums, float[] Gradient) Step(int passMicrobatches)
    {
        var gradient = new float[Settings.Network.Layout.Length];
        return (Step(passMicrobatches, gradient, progress: null), gradient);
    }

    private BatchSums Step(int passMicrobatches, float[] gradient, IBackwardProgress? progress, float[]? weights = null)
    {
        var batch = TinyRun.Configuration().Batches(TinyRun.Data.Train.Count).Of(step: 1);
        if (weights is null)
            Settings.Network.InitializeWeights(1, weights = new float[gradient.Length]);
        NodeComputation computation = new(Settings, passMicrobatches * Settings.Microbatch, _team);
        computation.Begin(weights);
        return computation.Gradient(
            step: 1,
            new TreeNode(0, batch.MicrobatchCount),
            new IndexedSamples(TinyRun.Data.Train, batch.Indices),
            0,
            gradient,
            progress
        );
    }

    private sealed class Watch(Action<int> completed) : IBackwardProgress
    {
        public void CompletedFrom(int offset) => completed(offset);
    }
}
