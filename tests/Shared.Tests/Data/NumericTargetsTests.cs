using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class NumericTargetsTests
{
    private static readonly float[][] Features = [.. Enumerable.Range(0, 10).Select(i => new[] { i * 0.5f, (i * i) - 3f })];
    private static readonly double[] Prices = [10, 20, 30, 40, 1e6, 50, 60, 70, 80, -1e6]; // every fifth is held back

    [Fact]
    public void Targets_are_standardised_over_the_training_set_alone()
    {
        var dataset = Dataset.FromArrays(Features, Prices);
        Assert.Equal((LearningTask.Regression, 1, 0), (dataset.Task, dataset.OutputWidth, dataset.ClassNames.Count));
        Assert.Equal(["target"], dataset.Targets!.Names);
        double[] training = [10, 20, 30, 40, 50, 60, 70, 80];
        var deviation = Math.Sqrt(training.Sum(price => (price - 45) * (price - 45)) / training.Length);
        Assert.Equal([45], dataset.Targets.Means);
        Assert.Equal([deviation], dataset.Targets.Deviations);
        Assert.Equal(training.Select(price => (float)((price - 45) / deviation)), Floats(dataset.Train));
        Assert.Equal([(float)((1e6 - 45) / deviation), (float)((-1e6 - 45) / deviation)], Floats(dataset.Test));
    }

    [Fact]
    public void A_sample_may_have_several_targets_and_a_test_set_of_its_own()
    {
        double[][] rows = [.. Prices.Select(price => new[] { price, 7 })];
        var options = new ArrayOptions
        {
            TestFeatures = Features[..1],
            TestTargets =
            [
                [45, 9],
            ],
            TargetNames = ["price", "rooms"],
        };
        var dataset = Dataset.FromArrays(Features, rows, options);
        Assert.Equal((2, 2, 10, 1), (dataset.OutputWidth, dataset.Train.TargetWidth, dataset.Train.Count, dataset.Test.Count));
        Assert.Equal(["price", "rooms"], dataset.Targets!.Names);
        Assert.Equal(1, dataset.Targets.Deviations[1]); // all are 7
        Assert.Equal(2, Floats(dataset.Test)[1]);
        Assert.All(Floats(dataset.Train).Where((_, place) => place % 2 == 1), value => Assert.Equal(0, value));
        Assert.Equal(["target0", "target1"], Dataset.FromArrays(Features, rows).Targets!.Names);
    }

    [Fact]
    public void The_hash_covers_targets_and_units_and_not_names()
    {
        var dataset = Dataset.FromArrays(Features, Prices);
        Assert.Equal(dataset.Sha256, Dataset.FromArrays(Features, Prices, new() { TargetNames = ["price"] }).Sha256);
        Assert.NotEqual(dataset.Sha256, Dataset.FromArrays(Features, [.. Prices[..9], -1e5]).Sha256);
        // The same numbers, standardised, in another unit.
        var twice = Dataset.FromArrays(Features, [.. Prices.Select(price => 2 * price)]);
        Assert.Equal(dataset.Train.Targets, twice.Train.Targets);
        Assert.NotEqual(dataset.Sha256, twice.Sha256);
        Assert.StartsWith("68240d0c6492225cc91c6739dc59bc256c6110b39ee26dca8b", dataset.Sha256, StringComparison.Ordinal);
    }

    [Fact]
    public void Arrays_that_do_not_go_together_are_the_callers_mistake()
    {
        Refused("10 samples, but 9 targets", () => Dataset.FromArrays(Features, Prices[..9]));
        Refused("sample 3: target 0 is NaN", () => Dataset.FromArrays(Features, [1, 2, 3, double.NaN, 5, 6, 7, 8, 9, 10]));
        Refused("sample 1 has 2 targets, but the first has 1", () => Dataset.FromArrays(
                Features,
                [
                    [1],
                    [1, 2],
                    .. Prices[2..].Select(price => new[] { price }),
                ]
            ));
        Refused("2 names, but 1 targets", () => Dataset.FromArrays(Features, Prices, new() { TargetNames = ["a", "b"] }));
        Refused("different names", () =>
            Dataset.FromArrays(Features, [.. Prices.Select(price => new[] { price, price })], new() { TargetNames = ["a", "a"] })
        );
    }

    [Fact]
    public void A_target_that_does_not_fit_a_float_once_it_is_standardised_is_named()
    {
        double[] prices = [1, 2, 3, 4, 1e300, 6, 7, 8, 9, 10];
        Assert.Equal(
            "arrays: row 4: the target 'target' is too far from the training mean to be standardised; drop the row",
            Assert.Throws<InputException>(() => Dataset.FromArrays(Features, prices)).Message
        );
    }

    [Fact]
    public void The_spread_of_a_set_is_around_its_own_mean()
    {
        double[][] rows = [.. Enumerable.Range(0, 10).Select(i => new double[] { i, 5, i % 2 })];
        var dataset = Dataset.FromArrays(Features, rows);
        var spread = TargetSpread.Of(3, dataset.Train, dataset.Test);
        var deviations = dataset.Targets!.Deviations;
        Assert.Equal(82.5 / (deviations[0] * deviations[0]), spread[0], 1e-5);
        Assert.Equal(0, spread[1]);
        Assert.Equal(2.5 / (deviations[2] * deviations[2]), spread[2], 1e-5);
    }

    // The mean of equal numbers, rounded, need not be the number.
    [Fact]
    public void Equal_targets_have_a_spread_of_exactly_0()
    {
        double[] prices = [0, 1, 2, 3, 0.1, 5, 6, 7, 8, 0.1, 1, 2, 3, 4, 0.1];
        var dataset = Dataset.FromArrays([.. Enumerable.Range(0, 15).Select(i => new[] { (float)i })], prices);
        Assert.Equal([0], TargetSpread.Of(1, dataset.Test));
        Assert.Equal([0], TargetSpread.Of(1));
    }

    [Fact]
    public void Statistics_show_how_targets_lie_in_their_own_units()
    {
        double[][] rows = [.. Prices.Select(price => new[] { price, 7 })];
        var statistics = DatasetStatistics.Of(Dataset.FromArrays(Features, rows));
        Assert.Empty(statistics.TrainCounts);
        var (price, rooms) = (statistics.Targets[0], statistics.Targets[1]);
        Assert.Equal((10, 80, 45), (Math.Round(price.Minimum, 4), Math.Round(price.Maximum, 4), price.Mean));
        Assert.Equal(new TargetStatistics("target1", 7, 7, 7, 0), rooms);
    }

    private static float[] Floats(SampleSet samples) => Array.ConvertAll(samples.Targets.ToArray(), BitConverter.Int32BitsToSingle);

    private static void Refused(string reason, Func<Dataset> make) =>
        Assert.Contains(reason, Assert.Throws<ArgumentException>(make).Message, StringComparison.Ordinal);
}
