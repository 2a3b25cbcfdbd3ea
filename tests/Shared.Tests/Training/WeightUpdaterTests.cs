using CsCheck;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Shared.Tests.Kernels;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

public sealed class WeightUpdaterTests
{
    private static readonly ModelSpec Model = ModelSpec.FromJson("""{"layers":[{"type":"dense","units":7},{"type":"relu"}]}""", "test");

    private static readonly Network Network = new(Model, new SampleShape(1, 3, 3), 4);

    // Large enough for threads to share its update, with running statistics in the middle.
    private static readonly Network Large = new(
        ModelSpec.FromJson(
            """{"layers":[{"type":"dense","units":300},{"type":"batchnorm"},{"type":"dense","units":300},{"type":"relu"}]}""",
            "test"
        ),
        new SampleShape(1, 8, 8),
        10
    );

    private static readonly Gen<int[]> Cuts = Gen.Int[0, Network.Layout.Length / 16]
        .Array[0, 5]
        .Select(cuts => cuts.Select(cut => cut * 16).ToArray());

    [Theory]
    [InlineData("sgd", null)]
    [InlineData("sgd", 0.01)]
    [InlineData("adamw", null)]
    [InlineData("adamw", 0.01)]
    public void PiecesInAnyOrderMakeTheStepOfTheWhole(string kind, double? clipNorm) =>
        Gen.Select(Cuts, Gen.Int[0, 1000])
            .Sample(
                (cuts, seed) =>
                {
                    var (whole, pieces) = (Updater(kind, clipNorm), Updater(kind, clipNorm));
                    for (var step = 1; step <= 3; step++)
                    {
                        var gradient = Gradient(step);
                        whole.Update(samples: 3, gradient);
                        TakeInPieces(pieces, gradient, cuts, new System.Random(seed));
                        pieces.Complete();
                    }

                    Assert.Equal(3, pieces.State.Step);
                    BitAssert.Equal(whole.State.Weights.Span.ToArray(), pieces.State.Weights.Span.ToArray(), "weights");
                    for (var moment = 0; moment < whole.State.Moments.Count; moment++)
                        BitAssert.Equal(whole.State.Moments[moment].Span.ToArray(), pieces.State.Moments[moment].Span.ToArray(), "moments");
                }
            );

    [Fact]
    public void AStepThatIsGivenUpLeavesNothingBehind()
    {
        var (straight, broken) = (Updater("sgd", null), Updater("sgd", null));
        broken.Begin(samples: 9);
        broken.Take(0, Gradient(7).AsSpan(0, 32));
        foreach (var updater in new[] { straight, broken })
            updater.Update(samples: 3, Gradient(1));
        BitAssert.Equal(straight.State.Weights.Span.ToArray(), broken.State.Weights.Span.ToArray(), "weights");
    }

    [Theory]
    [InlineData("sgd", 1)]
    [InlineData("sgd", 2)]
    [InlineData("adamw", 3)]
    public void PiecesThatAreDeferredMakeTheStepOfTheWholeAlsoAfterOneThatWasGivenUp(string kind, int threads)
    {
        using var team = new ComputeTeam(threads);
        var (whole, pieces) = (Updater(kind, null, Large), Updater(kind, null, Large, team));
        for (var step = 1; step <= 3; step++)
        {
            var gradient = Aligned(Gradient(step, Large));
            whole.Update(samples: 3, gradient.Span);
            TakeDeferred(pieces, team, samples: 5, Aligned(Gradient(step + 3, Large)), cut: 16);
            TakeDeferred(pieces, team, samples: 3, gradient, cut: step * 3200);
            pieces.Complete();
        }

        BitAssert.Equal(whole.State.Weights.Span.ToArray(), pieces.State.Weights.Span.ToArray(), "weights");
        for (var moment = 0; moment < whole.State.Moments.Count; moment++)
            BitAssert.Equal(whole.State.Moments[moment].Span.ToArray(), pieces.State.Moments[moment].Span.ToArray(), "moments");
    }

    private static void TakeDeferred(WeightUpdater updater, ComputeTeam team, int samples, AlignedBuffer gradient, int cut)
    {
        updater.Begin(samples);
        team.BeginDeferring();
        updater.Take(cut, gradient.Span[cut..]);
        updater.Take(0, gradient.Span[..cut]);
        team.EndDeferring();
    }

    private static WeightUpdater Updater(string kind, double? clipNorm) => Updater(kind, clipNorm, Network);

    private static WeightUpdater Updater(string kind, double? clipNorm, Network network, ComputeTeam? team = null)
    {
        var options = OptimizerOptions.Find(kind)! with { ClipNorm = clipNorm, LearningRate = 0.1f, WeightDecay = 0.01 };
        WeightUpdater updater = new(
            new TrainingSettings(
                network,
                new Classification(network.OutputWidth),
                1,
                options,
                new CosineSchedule(),
                TotalSteps: 10,
                Seed: 1
            ),
            team
        );
        network.InitializeWeights(1, updater.State.Weights.Span);
        return updater;
    }

    private static void TakeInPieces(WeightUpdater updater, float[] gradient, int[] cuts, System.Random random)
    {
        int[] bounds = [.. cuts.Append(0).Append(gradient.Length).Distinct().Order()];
        updater.Begin(samples: 3);
        foreach (var (start, end) in bounds.Zip(bounds.Skip(1)).OrderBy(_ => random.Next()))
            updater.Take(start, gradient.AsSpan(start..end));
    }

    private static float[] Gradient(int step) => Gradient(step, Network);

    private static AlignedBuffer Aligned(float[] values)
    {
        var buffer = new AlignedBuffer(values.Length);
        values.CopyTo(buffer.Span);
        return buffer;
    }

    private static float[] Gradient(int step, Network network) =>
        [.. Enumerable.Range(0, network.Layout.Length).Select(i => ((i * 7919 * step) % 1009 / 100f) - 5)];
}
