using CsCheck;
using Distributed.Coordinator.Dashboard;
using Xunit;

namespace Distributed.Coordinator.Tests.Dashboard;

public sealed class CurveTests
{
    // Rising steps with gaps, as evaluations have them.
    private static readonly Gen<(long Step, double Value)[]> Series = Gen.Select(Gen.Long[1, 5000], Gen.Double[-1e6, 1e6])
        .Array[1, 400]
        .Select(pairs =>
        {
            var step = 0L;
            return pairs.Select(pair => (Step: step += pair.Item1, Value: pair.Item2)).ToArray();
        });

    [Fact]
    public void However_long_it_is_it_keeps_to_its_capacity_and_loses_no_extreme() =>
        Gen.Select(Series, Gen.Int[2, 64])
            .Sample(
                (series, capacity) =>
                {
                    var curve = Of(series, capacity);
                    var buckets = Buckets(curve);
                    Assert.InRange(curve.Count, 1, capacity);
                    Assert.Equal(series.Min(point => point.Value), buckets.Min(bucket => bucket.Minimum));
                    Assert.Equal(series.Max(point => point.Value), buckets.Max(bucket => bucket.Maximum));
                    Assert.Equal(series.Length, buckets.Sum(bucket => bucket.Count));
                    Assert.Equal(series[0].Step, buckets[0].First);
                    Assert.Equal(series[^1].Step, buckets[^1].Last);
                    Assert.Equal(series[^1].Value, curve.Latest);
                }
            );

    [Fact]
    public void Each_bucket_says_of_its_steps_what_is_true_of_them() =>
        Gen.Select(Series, Gen.Int[2, 64])
            .Sample(
                (series, capacity) =>
                {
                    var last = -1L;
                    foreach (var bucket in Buckets(Of(series, capacity)))
                    {
                        var values = series
                            .Where(point => point.Step >= bucket.First && point.Step <= bucket.Last)
                            .Select(point => point.Value)
                            .ToList();
                        Assert.True(bucket.First > last);
                        Assert.Equal(values.Count, bucket.Count);
                        Assert.Equal(values.Min(), bucket.Minimum);
                        Assert.Equal(values.Max(), bucket.Maximum);
                        Assert.Equal(values.Average(), bucket.Mean, 1e-6 * Math.Max(1, values.Max(Math.Abs)));
                        last = bucket.Last;
                    }
                }
            );

    [Fact]
    public void As_long_as_they_fit_all_values_are_there()
    {
        var curve = Of([.. Enumerable.Range(1, 1000).Select(step => ((long)step, Math.Sqrt(step)))], Curve.DefaultCapacity);
        Assert.Equal(1000, curve.Count);
        Assert.Equal(0, curve.Generation);
    }

    [Fact]
    public void A_million_steps_stay_a_thousand_buckets_of_the_same_length()
    {
        var curve = new Curve();
        for (var step = 1; step <= 1_000_000; step++)
            curve.Add(step, step);
        Assert.InRange(curve.Count, Curve.DefaultCapacity / 2, Curve.DefaultCapacity);
        Assert.Equal(1_000_000, curve[curve.Count - 1].Maximum);
        Assert.Single(Buckets(curve)[1..^1].Select(bucket => bucket.Count).Distinct());
    }

    [Fact]
    public void After_going_back_nothing_is_left_of_what_came_later() =>
        Gen.Select(Series, Gen.Int[2, 64], Gen.Double[0, 1])
            .Sample(
                (series, capacity, part) =>
                {
                    var curve = Of(series, capacity);
                    var generation = curve.Generation;
                    var from = (long)(part * series[^1].Step);
                    curve.Truncate(from);
                    Assert.All(Buckets(curve), bucket => Assert.True(bucket.Last < from));
                    Assert.True(curve.Generation > generation);
                }
            );

    [Fact]
    public void A_step_that_is_told_again_takes_the_place_of_the_first_telling()
    {
        var curve = Of([(1, 10), (2, 20), (3, 30)], 8);
        curve.Add(2, 25);
        Assert.Equal([(1L, 10.0), (2L, 25.0)], Buckets(curve).Select(bucket => (bucket.First, bucket.Mean)));
    }

    [Fact]
    public void A_curve_goes_on_where_an_earlier_one_ended() =>
        Gen.Select(Series, Gen.Int[2, 64], Gen.Double[0, 1])
            .Sample(
                (series, capacity, part) =>
                {
                    var cut = (int)(part * series.Length);
                    var (earlier, later) = (Of(series[..cut], capacity), Of(series[cut..], capacity));
                    var known = Math.Max(earlier.Generation, later.Generation);
                    earlier.AddAll(later);
                    Assert.InRange(earlier.Count, 1, capacity);
                    Assert.Equal(series.Length, Buckets(earlier).Sum(bucket => bucket.Count));
                    Assert.Equal(series.Max(point => point.Value), Buckets(earlier).Max(bucket => bucket.Maximum));
                    Assert.True(earlier.Generation > known); // who has read either reads all anew
                }
            );

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void What_is_not_finite_is_passed_over(double value)
    {
        var curve = Of([(1, 10)], 8);
        curve.Add(2, value);
        Assert.Equal(1, curve.Count);
        Assert.Equal(10, curve.Latest);
    }

    private static Curve Of((long Step, double Value)[] series, int capacity)
    {
        var curve = new Curve(capacity);
        foreach (var (step, value) in series)
            curve.Add(step, value);
        return curve;
    }

    private static List<CurveBucket> Buckets(Curve curve) => [.. Enumerable.Range(0, curve.Count).Select(index => curve[index])];
}
