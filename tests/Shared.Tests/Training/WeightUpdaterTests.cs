using CsCheck;
using Distributed.Model;
using Distributed.Shared.Tests.Kernels;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class WeightUpdaterTests
{
    private static readonly ModelSpec Model = ModelSpec.FromJson("""{"layers":[{"type":"dense","units":7},{"type":"relu"}]}""", "test");

    private static readonly Network Network = new(Model, new SampleShape(1, 3, 3), 4);

    private static readonly Gen<int[]> Cuts = Gen.Int[0, Network.Layout.Length / 16].Array[0, 5].Select(cuts => cuts.Select(cut => cut * 16).ToArray());

    [Theory]
    [InlineData(OptimizerKind.Sgd, null)]
    [InlineData(OptimizerKind.Sgd, 0.01)]
    [InlineData(OptimizerKind.AdamW, null)]
    [InlineData(OptimizerKind.AdamW, 0.01)]
    public void PiecesInAnyOrderMakeTheStepOfTheWhole(OptimizerKind kind, double? clipNorm) => Gen.Select(Cuts, Gen.Int[0, 1000]).Sample((cuts, seed) =>
    {
        var (whole, pieces) = (Updater(kind, clipNorm), Updater(kind, clipNorm));
        for (int step = 1; step <= 3; step++)
        {
            float[] gradient = Gradient(step);
            whole.Update(samples: 3, gradient);
            TakeInPieces(pieces, gradient, cuts, new System.Random(seed));
            pieces.Complete();
        }

        Assert.Equal(3, pieces.State.Step);
        BitAssert.Equal(whole.State.Weights.Span.ToArray(), pieces.State.Weights.Span.ToArray(), "weights");
        for (int moment = 0; moment < whole.State.Moments.Count; moment++)
            BitAssert.Equal(whole.State.Moments[moment].Span.ToArray(), pieces.State.Moments[moment].Span.ToArray(), "moments");
    });

    [Fact]
    public void AStepThatIsGivenUpLeavesNothingBehind()
    {
        var (straight, broken) = (Updater(OptimizerKind.Sgd, null), Updater(OptimizerKind.Sgd, null));
        broken.Begin(samples: 9);
        broken.Take(0, Gradient(7).AsSpan(0, 32));
        foreach (var updater in new[] { straight, broken })
            updater.Update(samples: 3, Gradient(1));
        BitAssert.Equal(straight.State.Weights.Span.ToArray(), broken.State.Weights.Span.ToArray(), "weights");
    }

    private static WeightUpdater Updater(OptimizerKind kind, double? clipNorm)
    {
        OptimizerOptions options = new() { Kind = kind, ClipNorm = clipNorm, LearningRate = 0.1f, WeightDecay = 0.01, Momentum = kind == OptimizerKind.Sgd ? 0.9 : 0 };
        WeightUpdater updater = new(new TrainingSettings(Network, 1, options, new ScheduleOptions(), TotalSteps: 10, Seed: 1), team: null);
        Network.InitializeWeights(1, updater.State.Weights.Span);
        return updater;
    }

    private static void TakeInPieces(WeightUpdater updater, float[] gradient, int[] cuts, System.Random random)
    {
        int[] bounds = [.. cuts.Append(0).Append(gradient.Length).Distinct().Order()];
        updater.Begin(samples: 3);
        foreach ((int start, int end) in bounds.Zip(bounds.Skip(1)).OrderBy(_ => random.Next()))
            updater.Take(start, gradient.AsSpan(start..end));
    }

    private static float[] Gradient(int step) => [.. Enumerable.Range(0, Network.Layout.Length).Select(i => ((i * 7919 * step) % 1009 / 100f) - 5)];
}
