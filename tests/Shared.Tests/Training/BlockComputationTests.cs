using Distributed.Collectives;
using Distributed.Kernels;
using Distributed.Model;
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
        "test");

    private static readonly TrainingSettings Settings = TrainingSettings.Of(TinyRun.Configuration(), new Network(Model, TinyRun.Data.Shape, 10));

    private readonly ComputeTeam _team = new(2);

    public void Dispose() => _team.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void RowsOfAPassChangeNoBit(int microbatches)
    {
        (BatchSums expected, float[] gradient) = Step(passMicrobatches: 32);
        (BatchSums sums, float[] other) = Step(microbatches);
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
        TrainingSettings settings = Settings with { Network = new Network(new ModelSpec([]), new SampleShape(1, 28, 28), 2), Microbatch = rows };
        InputException failure = Assert.Throws<InputException>(() => new BlockComputation(settings, rows, _team));
        Assert.Equal("16777216 samples of 784 values do not fit in one array: use a smaller microbatch or layer", failure.Message);
    }

    private (BatchSums Sums, float[] Gradient) Step(int passMicrobatches)
    {
        var batch = TinyRun.Configuration().Batches(TinyRun.Data.Train.Count).Of(step: 1);
        float[] weights = new float[Settings.Network.Layout.Length], gradient = new float[weights.Length];
        Settings.Network.InitializeWeights(1, weights);
        BlockComputation computation = new(Settings, passMicrobatches * Settings.Microbatch, _team);
        computation.BindWeights(weights);
        var sums = computation.Gradient(step: 1, new TreeBlock(0, batch.MicrobatchCount), new IndexedSamples(TinyRun.Data.Train, batch.Indices), 0, gradient);
        return (sums, gradient);
    }
}
