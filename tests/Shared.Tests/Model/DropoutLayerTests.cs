using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Model.Layers;
using Distributed.Shared.Tests.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Model;

public sealed class DropoutLayerTests : IDisposable
{
    private const int Features = 100;

    private readonly ComputeTeam _team = new(2);

    public void Dispose() => _team.Dispose();

    [Theory]
    [InlineData(7, 1)]
    [InlineData(7, 4)]
    [InlineData(4, 2)]
    public void BlocksOfTheBatchDropTheSameElements(int microbatch, int blockMicrobatches)
    {
        SmallProblem problem = new("""{"type":"dense","units":17},{"type":"dropout","rate":0.5}""", features: 5, classes: 3, rows: 60);
        var (expected, gradient) = problem.Run(microbatch, _team);
        var (sums, merged) = problem.RunInBlocks(microbatch, blockMicrobatches, _team);
        Assert.Equal(expected, sums);
        BitAssert.Equal(gradient, merged);
    }

    [Fact]
    public void SeedStepPositionAndLayerEachHaveTheirOwnDraws()
    {
        float[][] drops =
        [
            Drops(Pass.OfStep(1, 1, 0)),
            Drops(Pass.OfStep(2, 1, 0)),
            Drops(Pass.OfStep(1, 2, 0)),
            Drops(Pass.OfStep(1, 1, 1)),
            Drops(Pass.OfStep(1, 1, 0), layersBefore: 1),
        ];
        for (var i = 0; i < drops.Length; i++)
        {
            for (var j = 0; j < i; j++)
                Assert.NotEqual(drops[i][..Features], drops[j][..Features]);
        }
    }

    [Fact]
    public void ASampleDropsTheSameWhereverTheRowIs() =>
        Assert.Equal(Drops(Pass.OfStep(1, 1, 0)).Skip(Features), Drops(Pass.OfStep(1, 1, 1)).Take(Features));

    [Fact]
    public void LayersInsideABlockHaveDrawsOfTheirOwn()
    {
        Network network = new(
            ModelSpec.FromJson(
                """
                {"layers":[{"type":"dropout","rate":0.5},{"type":"residual","layers":[{"type":"dropout","rate":0.5},{"type":"dropout","rate":0.5}],
                "shortcut":[{"type":"dropout","rate":0.5}]},{"type":"dropout","rate":0.5}]}
                """,
                "test"
            ),
            new SampleShape(1, 1, 4),
            3
        );
        Assert.Equal([1, 3, 1, 0], network.Layers.Select(layer => layer.RandomStreams));
    }

    [Fact]
    public void EvaluationDropsNothing() => Assert.All(Drops(Pass.Evaluation), value => Assert.Equal(1, value));

    /// <summary>What two rows of ones become.</summary>
    private float[] Drops(Pass pass, int layersBefore = 0)
    {
        var layer = new DropoutSpec(0.5f).Resolve(new SampleShape(1, 1, Features));
        var executor = layer.CreateExecutor(new ExecutorOptions(2, 1, NeedsInputGradient: false, _team, layersBefore));
        float[] ones = new float[2 * Features],
            output = new float[2 * Features];
        Array.Fill(ones, 1);
        executor.Forward(ones, 2, output, pass);
        return output;
    }
}
