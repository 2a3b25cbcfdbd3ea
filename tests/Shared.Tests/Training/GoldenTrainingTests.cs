using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

/// <summary>Twenty steps from the same weights on the same samples as PyTorch; tests/golden/make_golden.py wrote what it did.</summary>
public sealed class GoldenTrainingTests : IDisposable
{
    private const double Tolerance = 1e-4;

    private readonly ComputeTeam _team = new(2);

    public static TheoryData<string> Cases => [.. Resources.Names("golden/")];

    public void Dispose() => _team.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void TrainingAgreesWithPyTorch(string name)
    {
        var golden = GoldenCase.Load(name);
        Network network = new(golden.Spec, new SampleShape(1, 1, golden.Features), golden.Classes);
        var run = GoldenRun.Of(golden, network, _team);

        AssertClose(golden.LearningRates, run.LearningRates, "learning rate");
        AssertClose(golden.Losses, run.Losses, "loss");
        foreach (var parameter in network.Layout.Parameters)
        {
            var range = parameter.Offset..(parameter.Offset + parameter.Length);
            var distance = Norm(golden.FinalWeights[range].Zip(run.Weights[range], (expected, actual) => (double)expected - actual));
            var moved = Norm(golden.FinalWeights[range].Zip(golden.InitialWeights[range], (after, before) => (double)after - before));
            Assert.True(distance <= Tolerance * moved, $"{parameter.Name} is {distance / moved:G3} of its way from where PyTorch went");
        }

        Assert.Equal(golden.Optimizer.ClipNorm is not null, run.Clipped);
    }

    private static void AssertClose(float[] expected, float[] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(
                Math.Abs(expected[i] - actual[i]) <= Tolerance * expected[i],
                $"{what} of step {i + 1}: {actual[i]}, PyTorch {expected[i]}"
            );
        }
    }

    private static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(value => value * value));

    private sealed record GoldenRun(float[] Losses, float[] LearningRates, float[] Weights, bool Clipped)
    {
        public static GoldenRun Of(GoldenCase golden, Network network, ComputeTeam team)
        {
            var optimizer = golden.Optimizer.CreateOptimizer();
            LearningRateSchedule schedule = new(golden.Schedule, golden.Optimizer.LearningRate);
            TrainingState current = new(network.Layout.Length, optimizer.MomentNames.Count);
            TrainingState next = new(network.Layout.Length, optimizer.MomentNames.Count);
            golden.InitialWeights.CopyTo(current.Weights.Span);
            NetworkExecutor executor = new(
                network,
                new Classification(golden.Classes),
                microbatch: 7,
                golden.Batches.Max(batch => batch.Length),
                team
            );
            var gradient = new float[network.Layout.Length];
            List<float> losses = [],
                rates = [];
            var clipped = false;
            foreach (var batch in golden.Batches)
            {
                var step = current.Step + 1;
                executor.BindWeights(current.Weights.Memory);
                var sums = executor.ForwardBackward(
                    golden.InputsOf(batch),
                    golden.LabelsOf(batch),
                    Pass.OfStep(seed: 0, step, firstSample: 0),
                    gradient
                );
                var scale = GradientClipping.Scale(gradient, network.Layout.TrainedRanges, (int)sums.Samples, golden.Optimizer.ClipNorm);
                var rate = schedule.At(step, golden.Batches.Length);
                optimizer.Update(step, rate, (int)sums.Samples, scale, gradient, current, next, team);
                (current, next) = (next, current);
                losses.Add(sums.MeanLoss);
                rates.Add(rate);
                clipped |= scale < 1;
            }

            return new GoldenRun([.. losses], [.. rates], current.Weights.Span.ToArray(), clipped);
        }
    }
}
