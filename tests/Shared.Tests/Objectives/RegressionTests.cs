using System.Runtime.InteropServices;
using Distributed.Kernels.Threads;
using Distributed.Objectives;
using Xunit;

namespace Distributed.Shared.Tests.Objectives;

public sealed class RegressionTests : IDisposable
{
    private static readonly NumericTargets Price = new(["price"], [200], [50]);
    private static readonly NumericTargets Two = new(["price", "rooms"], [200, 3], [50, 2]);

    private readonly ComputeTeam _team = new(2);

    public void Dispose() => _team.Dispose();

    [Theory]
    [InlineData(RegressionLoss.Squared, null)]
    [InlineData(RegressionLoss.Absolute, null)]
    [InlineData(RegressionLoss.Huber, 0.5)]
    public void The_gradient_is_the_derivative_of_the_loss(RegressionLoss loss, double? delta)
    {
        var objective = Objective.Create(new RegressionSpec(Two, loss, delta));
        float[] outputs = [0.5f, -1.25f, 2, 0.125f, -3, 1],
            targets = [0.25f, 0.5f, -1, 0, 0.75f, 1.25f];
        var (_, gradient) = Train(objective, outputs, targets);
        const double step = 1.0 / 1024;
        for (var i = 0; i < outputs.Length; i++)
        {
            double Of(double shift) =>
                outputs.Select((output, j) => Loss(loss, delta ?? 0, output + (i == j ? shift : 0) - targets[j])).Sum();

            Assert.Equal((Of(step) - Of(-step)) / (2 * step), gradient[i], 1e-6);
        }
    }

    [Theory]
    [InlineData(RegressionLoss.Squared, null)]
    [InlineData(RegressionLoss.Absolute, null)]
    [InlineData(RegressionLoss.Huber, 0.5)]
    public void The_sums_are_those_of_the_samples_and_evaluation_has_those_of_training(RegressionLoss loss, double? delta)
    {
        var objective = Objective.Create(new RegressionSpec(Two, loss, delta));
        float[] outputs = [0.5f, -1.25f, 2, 0.125f, -3, 1],
            targets = [0.25f, 0.5f, -1, 0, 0.75f, 1.25f];
        var (sums, _) = Train(objective, outputs, targets);
        double[] errors = [.. outputs.Zip(targets, (output, target) => (double)output - target)];
        Assert.Equal(errors.Sum(error => Loss(loss, delta ?? 0, error)), sums.Loss, 1e-5);
        Assert.Equal(3, sums.Samples);
        var executor = new ObjectiveExecutor(objective, microbatch: 2, maximumRows: 3, _team);
        Assert.Equal(sums, executor.Evaluate(outputs, Bits(targets), 3));
    }

    [Fact]
    public void People_read_errors_in_the_targets_own_units()
    {
        // Prices of 150, 200, 250 and 400 with a mean of 250, predicted 160, 200, 240 and 390.
        float[] targets = [-1, 0, 1, 4],
            outputs = [-0.8f, 0, 0.8f, 3.8f];
        var objective = Objective.Create(new RegressionSpec(Price, RegressionLoss.Absolute), [(4 + 1 + 0 + 9)]);
        var metrics = objective.Metrics(Train(objective, outputs, targets).Sums);
        Assert.Equal(["rmse", "mae", "r2"], metrics.Select(metric => metric.Name));
        Assert.Equal(["testRmse", "testMae", "testR2"], metrics.Select(metric => metric.TestKey));
        Assert.Equal(Math.Sqrt(300.0 / 4), metrics[0].Value, 1e-4);
        Assert.Equal(30.0 / 4, metrics[1].Value, 1e-4);
        Assert.Equal(1 - (300.0 / (50 * 50 * 14)), metrics[2].Value, 1e-6);
    }

    [Fact]
    public void Errors_of_several_targets_are_taken_together()
    {
        // Errors of 10 and -20 in the price, of 1 and 2 in the rooms.
        float[] targets = [0, 0, 1, 1],
            outputs = [0.2f, 0.5f, 0.6f, 2];
        var objective = Objective.Create(new RegressionSpec(Two, RegressionLoss.Squared), [3, 5]);
        var metrics = objective.Metrics(Train(objective, outputs, targets).Sums);
        Assert.Equal(Math.Sqrt(505.0 / 4), metrics[0].Value, 1e-4);
        Assert.Equal(33.0 / 4, metrics[1].Value, 1e-4);
        Assert.Equal(1 - (505.0 / ((50 * 50 * 3) + (2 * 2 * 5))), metrics[2].Value, 1e-6);
    }

    [Fact]
    public void Units_of_any_size_do_not_overflow_the_sums()
    {
        var targets = new NumericTargets(["mass"], [0], [1e200]);
        var objective = Objective.Create(new RegressionSpec(targets, RegressionLoss.Squared), [1]);
        var metrics = objective.Metrics(Train(objective, [2], [0]).Sums);
        Assert.Equal(2e200, metrics[0].Value, 1e190);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0.0)]
    public void Where_no_target_varies_there_is_no_R2(double? spread)
    {
        var objective = Objective.Create(new RegressionSpec(Price, RegressionLoss.Squared), spread is { } known ? [known] : null);
        Assert.True(double.IsNaN(objective.Metrics(Train(objective, [1], [2]).Sums)[2].Value));
    }

    [Fact]
    public void A_prediction_is_in_the_targets_own_units()
    {
        var one = Objective.Create(new RegressionSpec(Price, RegressionLoss.Squared)).Predict([0.5f], []);
        Assert.Equal((225.0, "225"), (one.Number, one.Value));
        Assert.Empty(one.Probabilities);
        var two = Objective.Create(new RegressionSpec(Two, RegressionLoss.Squared)).Predict([0.5f, -0.75f], []);
        Assert.Equal([225, 1.5], two.Numbers);
        Assert.Equal((null, "225; 1.5"), (two.Number, two.Value));
        Assert.Contains("Number = ", new Prediction("a class", [1]).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0.0)]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_Huber_loss_needs_a_delta_above_0(double? delta) =>
        Assert.Throws<InputException>(() => Objective.Create(new RegressionSpec(Price, RegressionLoss.Huber, delta)));

    private static double Loss(RegressionLoss loss, double delta, double error) =>
        loss switch
        {
            RegressionLoss.Absolute => Math.Abs(error),
            RegressionLoss.Huber when Math.Abs(error) > delta => delta * (Math.Abs(error) - (delta / 2)),
            _ => error * error / 2,
        };

    private static int[] Bits(float[] values) => MemoryMarshal.Cast<float, int>(values).ToArray();

    private (BatchSums Sums, float[] Gradient) Train(Objective objective, float[] outputs, float[] targets)
    {
        float[] gradient = [.. outputs];
        var rows = outputs.Length / objective.OutputWidth;
        var executor = new ObjectiveExecutor(objective, microbatch: 2, maximumRows: rows, _team);
        return (executor.Train(gradient, Bits(targets), rows), gradient);
    }
}
