using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class DigitsTests
{
    [Fact]
    public void Digits_are_split_by_index_mod_5_and_scaled_by_16()
    {
        var digits = DatasetLoader.Load(new DataOptions());

        Assert.Equal(("digits", new SampleShape(1, 8, 8)), (digits.Name, digits.Shape));
        Assert.Equal((1438, 359), (digits.Train.Count, digits.Test.Count));
        Assert.Equal([0, 1, 2, 3, 5, 6], digits.Train.Targets[..6].ToArray());
        Assert.Equal([4, 9], digits.Test.Targets[..2].ToArray());
        Assert.Equal([0f, 0f, 5 / 16f, 13 / 16f, 9 / 16f, 1 / 16f, 0f, 0f], DataFolder.Decode(digits.Train)[..8]);
    }

    [Fact]
    public void The_hash_of_digits_never_changes() =>
        Assert.Equal("bb480e0787ed796897e44d038fb3b2110211e78987a4616b4b7e83419e87ce02", DatasetLoader.Load(new DataOptions()).Sha256);

    [Fact]
    public void Digits_have_ten_balanced_classes_in_the_unit_interval()
    {
        var statistics = DatasetStatistics.Of(DatasetLoader.Load(new DataOptions()));

        Assert.Equal([151, 161, 143, 131, 147, 154, 150, 136, 127, 138], statistics.TrainCounts);
        Assert.Equal(359, statistics.TestCounts.Sum());
        Assert.Equal((0f, 1f), (statistics.FeatureMinimum, statistics.FeatureMaximum));
        Assert.Equal(0.3058066759388039, statistics.FeatureMean, 1e-12);
    }

    [Fact]
    public void A_test_set_for_a_dataset_that_has_one_is_refused() =>
        Assert.Equal(
            "--test x.csv does not go with digits, which has its own test set; leave it out",
            Assert.Throws<InputException>(() => DatasetLoader.Load(new DataOptions { Test = "x.csv" })).Message
        );

    [Fact]
    public void The_list_names_digits_as_embedded()
    {
        var digits = DatasetLoader.List(new DataOptions())[0];

        Assert.Equal(("digits", 1438, 359, null), (digits.Name, digits.TrainSamples, digits.TestSamples, digits.Remedy));
        Assert.NotNull(digits.Location);
    }
}
