using Distributed.Data;
using Distributed.Kernels.Threads;
using Distributed.Objectives;
using Distributed.Training;
using Xunit;

namespace Distributed.Shared.Tests.Training;

/// <summary>Training samples that count for more or less than one.</summary>
public sealed class WeightedTrainingTests
{
    // 1, 2 and 7 in ten of a class, not in an order that every fifth sample would follow.
    private static readonly string[] Labels =
    [
        .. Enumerable
            .Range(0, 330)
            .Select(i =>
                (i * 3 % 10) switch
                {
                    0 => "a",
                    1 or 2 => "b",
                    _ => "c",
                }
            ),
    ];
    private static readonly Dataset Plain = Dataset.FromArrays(NumberRun.Features, Labels);

    private static readonly TrainingOptions Options = NumberRun.Options() with { Loss = null };

    [Fact]
    public void Balanced_weights_are_resolved_by_the_training_set_into_the_configuration()
    {
        var counts = DatasetStatistics.CountLabels(Plain.Train, 3);
        var configuration = RunPreparation.Of(Options with { ClassWeights = ClassWeights.Balanced }, Plain).Configuration;
        var weights = configuration.Options.ClassWeights!.Numbers!;
        Assert.Equal(counts.Select(count => 264.0 / (3 * count)), weights);
        Assert.Equal(264, weights.Zip(counts, (weight, count) => weight * count).Sum(), 1e-9);

        var json = RunConfigurationJson.Write(configuration);
        Assert.Equal(configuration, RunConfigurationJson.Read(json, "config.json"));
        Assert.NotEqual(
            RunConfigurationJson.Hash(configuration),
            RunConfigurationJson.Hash(RunPreparation.Of(Options, Plain).Configuration)
        );
        Assert.Equal(configuration, RunPreparation.Of(configuration.Options, Plain).Configuration);
        Assert.DoesNotContain(
            "classWeights",
            RunConfigurationJson.Write(RunPreparation.Of(Options, Plain).Configuration),
            StringComparison.Ordinal
        );
        var named = System.Text.RegularExpressions.Regex.Replace(json, "\"classWeights\": \\[[^]]*\\]", "\"classWeights\": \"balanced\"");
        Assert.Contains(
            "'classWeights' is a name where numbers stand",
            Assert.Throws<InputException>(() => RunConfigurationJson.Read(named, "config.json")).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_class_without_training_samples_does_not_count_as_one()
    {
        int[] labels = [.. Enumerable.Range(0, 20).Select(i => i % 5 == 4 ? 1 : i % 2 * 2)]; // class 1 in the test set alone
        var dataset = Dataset.FromArrays(NumberRun.Features[..20], labels);
        Assert.Equal([1, 1, 1], ClassWeights.Balanced.For(dataset).Numbers!);
    }

    [Fact]
    public void Weights_of_1_change_no_bit()
    {
        var expected = Hash(Plain, Options);
        Assert.Equal(expected, Hash(Plain, Options with { ClassWeights = ClassWeights.Of(1, 1, 1) }));
        Assert.Equal(expected, Hash(Weighted(_ => 1), Options));
        Assert.Equal(Hash(NumberRun.Data, NumberRun.Options()), Hash(WeightedNumbers(_ => 1), NumberRun.Options()));
    }

    [Fact]
    public void Weights_of_samples_by_their_class_are_class_weights()
    {
        var weights = ClassWeights.Of(3, 0.5, 1.25);
        double Of(int sample) => weights.Numbers![Plain.ClassNames.ToList().IndexOf(Labels[sample])];
        var expected = Hash(Plain, Options with { ClassWeights = weights });
        Assert.NotEqual(Hash(Plain, Options), expected);
        Assert.Equal(expected, Hash(Weighted(Of), Options));
        Assert.Equal(expected, Hash(Weighted(sample => Of(sample) / 2), Options with { ClassWeights = ClassWeights.Of(2, 2, 2) }));
    }

    [Fact]
    public void Samples_without_weight_teach_nothing()
    {
        // The weight 0 leaves a gradient of 0, whatever the target says.
        double[] other = [.. NumberRun.Targets.Select((targets, i) => i % 3 == 0 ? 1e6 : targets[0])];
        double[] one = [.. NumberRun.Targets.Select(targets => targets[0])];
        double[] weights = [.. Enumerable.Range(0, 330).Select(i => i % 3 == 0 ? 0.0 : 1)];
        var units = Dataset.FromArrays(NumberRun.Features, one).Targets!;
        Assert.Equal(GradientOf(one), GradientOf(other));

        float[] GradientOf(double[] targets)
        {
            using var team = new ComputeTeam(1);
            var objective = Objective.Create(new RegressionSpec(units, RegressionLoss.Squared) { HasWeights = true });
            float[] outputs = [.. Enumerable.Range(0, 330).Select(i => i / 330f)];
            var stored = new int[330];
            TargetStandardization.Store("test", [targets], units, [.. Enumerable.Range(0, 330)], stored, width: 1);
            var words = WeightedTargets.Join(stored, [.. weights.Select(weight => (float)weight)], width: 1);
            new ObjectiveExecutor(objective, 32, 330, team).Train(outputs, words, 330);
            return outputs;
        }
    }

    [Fact]
    public void The_gradient_is_the_derivative_of_the_weighted_loss_and_evaluation_has_no_weights()
    {
        using var team = new ComputeTeam(1);
        var weighted = Objective.Create(new ClassificationSpec(3, 0.1, [2, 0.25, 1]) { HasWeights = true });
        var plain = Objective.Create(new ClassificationSpec(3));
        Assert.Equal((2, 1), (weighted.TargetWidth, plain.TargetWidth));
        float[] logits = [0.5f, -1, 2, 0.25f, 0.75f, -0.5f],
            gradient = [.. logits];
        int[] labels = [2, 0];
        var words = WeightedTargets.Join(labels, [3, 0.5f], width: 1);
        var executor = new ObjectiveExecutor(weighted, 2, 2, team);
        var sums = executor.Train(gradient, words, 2);
        double Loss(int row, double[] z)
        {
            var logSum = Math.Log(z.Sum(Math.Exp));
            return z.Select((value, k) => ((0.1 / 3) + (k == labels[row] ? 0.9 : 0)) * (logSum - value)).Sum()
                * (row == 0 ? 3 * 1 : 0.5 * 2);
        }

        double[][] rows = [.. logits.Select(logit => (double)logit).Chunk(3)];
        Assert.Equal(Loss(0, rows[0]) + Loss(1, rows[1]), sums.Loss, 1e-5);
        const double step = 1e-5;
        for (var i = 0; i < logits.Length; i++)
        {
            double Of(double shift) => Loss(i / 3, [.. rows[i / 3].Select((z, k) => k == i % 3 ? z + shift : z)]);
            Assert.Equal((Of(step) - Of(-step)) / (2 * step), gradient[i], 1e-5);
        }

        var unweighted = new ObjectiveExecutor(plain, 2, 2, team).Evaluate(logits, labels, 2);
        Assert.Equal(unweighted, executor.Evaluate(logits, words, 2));
    }

    [Fact]
    public void A_weighted_model_is_judged_and_saved_as_any_other()
    {
        var result = new Trainer(Weighted(i => 1 + (i % 4)), Options) { Threads = 1 }.Train();
        var scores = new ClassScores(3);
        scores.Add(result.Model, Plain.Test);
        Assert.Equal(result.Test["accuracy"], scores.Accuracy);
        Assert.Equal(result.Test.Loss, scores.Loss, 1e-5);
        var numbers = new Trainer(WeightedNumbers(i => 1 + (i % 4)), NumberRun.Options()) { Threads = 1 }.Train();
        Assert.False(numbers.Model.Spec.HasWeights);
        Assert.Equal(numbers.Test["rmse"], ModelScore.Of(numbers.Model, [NumberRun.Data.Test])["rmse"], 1e-5 * numbers.Test["rmse"]);
    }

    [Fact]
    public void Two_classes_are_judged_by_their_order_in_the_end()
    {
        string[] sides = [.. NumberRun.Targets.Select(targets => targets[0] > 2e5 ? "dear" : "cheap")];
        var dataset = Dataset.FromArrays(NumberRun.Features, sides);
        var result = new Trainer(dataset, Options) { Threads = 1 }.Train();
        var scores = new ClassScores(2);
        scores.Add(result.Model, dataset.Test);
        Assert.Equal(scores.Auc, result.Test["auc"]);
        Assert.InRange(result.Test["auc"], 0.6, 1);
    }

    [Fact]
    public void Weights_that_do_not_go_with_the_data_are_refused()
    {
        Assert.Equal(
            "TrainingOptions.ClassWeights 1,2: must be 3, one for each class in their order",
            Refusal(Plain, Options with { ClassWeights = ClassWeights.Of(1, 2) })
        );
        Assert.Equal(
            "TrainingOptions.ClassWeights 1,0,1: must be numbers above 0",
            Refusal(Plain, Options with { ClassWeights = ClassWeights.Of(1, 0, 1) })
        );
        Assert.Equal(
            "TrainingOptions.ClassWeights balanced: belongs to classes, and this data has numbers; leave it out, or say TrainingOptions.Data.Task classification",
            Refusal(NumberRun.Data, Options with { ClassWeights = ClassWeights.Balanced })
        );
        Assert.Contains("330 samples, but 2 weights", Bad([1, 2]), StringComparison.Ordinal);
        Assert.Contains("sample 3: the weight is -1", Bad([1, 1, 1, -1, .. Enumerable.Repeat(1, 326)]), StringComparison.Ordinal);

        static string Bad(double[] weights) =>
            Assert
                .Throws<ArgumentException>(() => Dataset.FromArrays(NumberRun.Features, Labels, new ArrayOptions { Weights = weights }))
                .Message;
    }

    private static string Refusal(Dataset dataset, TrainingOptions options) =>
        Assert.Throws<InvalidOptionsException>(() => new Trainer(dataset, options).Train()).Message;

    private static string Hash(Dataset dataset, TrainingOptions options) =>
        new Trainer(dataset, options) { Threads = 1 }
            .Train()
            .Model.WeightsSha256;

    private static Dataset Weighted(Func<int, double> weight) =>
        Dataset.FromArrays(NumberRun.Features, Labels, new ArrayOptions { Weights = [.. Enumerable.Range(0, 330).Select(weight)] });

    private static Dataset WeightedNumbers(Func<int, double> weight) =>
        Dataset.FromArrays(
            NumberRun.Features,
            NumberRun.Targets,
            new ArrayOptions { TargetNames = ["price", "share"], Weights = [.. Enumerable.Range(0, 330).Select(weight)] }
        );
}
