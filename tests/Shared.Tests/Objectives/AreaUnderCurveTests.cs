using CsCheck;
using Distributed.Objectives;
using Xunit;

namespace Distributed.Shared.Tests.Objectives;

public sealed class AreaUnderCurveTests
{
    // Few values, so that many scores are equal.
    private static readonly Gen<double[]> Scores = Gen.Int[-4, 4].Select(score => score / 3.0).Array[1, 40];

    [Fact]
    public void It_is_the_part_of_all_pairs_that_are_in_order() =>
        Gen.Select(Scores, Scores)
            .Sample(
                (negatives, positives) =>
                {
                    var pairs = negatives.SelectMany(negative =>
                        positives.Select(positive =>
                            positive > negative ? 1
                            : positive < negative ? 0
                            : 0.5
                        )
                    );
                    Assert.Equal(pairs.Average(), AreaUnderCurve.Of(negatives, positives), 1e-12);
                }
            );

    [Theory]
    [InlineData(new double[] { 1, 2 }, new double[] { 3, 4 }, 1)]
    [InlineData(new double[] { 3, 4 }, new double[] { 1, 2 }, 0)]
    [InlineData(new double[] { 1, 1, 1 }, new double[] { 1, 1 }, 0.5)]
    [InlineData(new double[] { 0.1, 0.4 }, new double[] { 0.35, 0.8 }, 0.75)] // the example of scikit-learn's roc_auc_score
    public void It_knows_best_worst_and_chance(double[] negatives, double[] positives, double area) =>
        Assert.Equal(area, AreaUnderCurve.Of(negatives, positives));

    [Fact]
    public void Without_both_kinds_there_is_none()
    {
        Assert.True(double.IsNaN(AreaUnderCurve.Of([], [1])));
        Assert.True(double.IsNaN(AreaUnderCurve.Of([1], [])));
    }

    [Fact]
    public void Many_pairs_are_counted_exactly()
    {
        double[] many = [.. Enumerable.Repeat(0.0, 100_000)];
        Assert.Equal(0.500005, AreaUnderCurve.Of(many, [.. many[1..], 1]));
    }
}
