using CsCheck;
using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Distributed.Random;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed class DropoutTests : IDisposable
{
    private static readonly CounterRandom Random = new(seed: 5, RandomPurpose.Dropout, stream: 3);

    private readonly ComputeTeam[] _teams = [new(1), new(2), new(3)];

    public void Dispose() => Array.ForEach(_teams, team => team.Dispose());

    [Fact]
    public void Each_factor_is_what_the_draw_at_its_position_says() =>
        Gen.Select(Gen.Int[0, 1000], Gen.ULong[0, 1UL << 40], Gen.Float[0, 0.99f], Gen.Int[0, 2])
            .Sample(
                (length, first, rate, team) =>
                {
                    var factors = new GuardedBuffer(length);
                    Dropout.Factors(Random, first, rate, factors.Span, _teams[team]);
                    for (var i = 0; i < length; i++)
                        Assert.Equal(Random.UInt32(first + (ulong)i) < (uint)(rate * 4294967296.0) ? 0 : 1 / (1 - rate), factors.Span[i]);
                    factors.AssertGuards();
                },
                iter: 50,
                threads: 1
            ); // a team runs one work at a time

    [Theory]
    [InlineData(0.1f)]
    [InlineData(0.5f)]
    [InlineData(0.9f)]
    public void The_rate_is_the_part_that_is_dropped_and_the_mean_stays_one(float rate)
    {
        var factors = new float[100_000];
        Dropout.Factors(Random, 0, rate, factors, _teams[1]);
        Assert.Equal(rate, factors.Count(factor => factor == 0) / 1e5, 0.01);
        Assert.Equal(1, factors.Average(), 0.04);
    }

    [Fact]
    public void A_rate_of_zero_drops_nothing()
    {
        var factors = new float[1000];
        Dropout.Factors(Random, 1, 0, factors, _teams[0]);
        Assert.All(factors, factor => Assert.Equal(1, factor));
    }

    [Fact]
    public void Pieces_make_the_whole_at_any_number_of_threads()
    {
        float[] whole = new float[40_000],
            pieces = new float[40_000];
        Dropout.Factors(Random, 3, 0.5f, whole, _teams[2]);
        foreach (var (start, end) in new[] { (0, 17), (17, 20_001), (20_001, 40_000) })
            Dropout.Factors(Random, 3 + (ulong)start, 0.5f, pieces.AsSpan(start..end), _teams[0]);
        BitAssert.Equal(whole, pieces);
    }

    [Fact]
    public void Applying_the_factors_multiplies_and_does_not_hide_nan()
    {
        float[] values = [3, -0f, float.NaN, float.PositiveInfinity, float.Epsilon];
        float[] factors = [2, 0, 0, 2, 2];
        var product = new GuardedBuffer(values.Length);
        Dropout.Apply(values, factors, product.Span, _teams[0]);
        BitAssert.Equal([6, -0f, float.NaN, float.PositiveInfinity, 2 * float.Epsilon], product.Span.ToArray());
        product.AssertGuards();
    }

    [Fact]
    public void Warmed_dropout_allocates_nothing()
    {
        var factors = new float[30_000];
        AllocationAssert.NothingOnceWarm(() =>
        {
            Dropout.Factors(Random, 0, 0.5f, factors, _teams[1]);
            Dropout.Apply(factors, factors, factors, _teams[1]);
        });
    }

    [Fact]
    public void Rates_and_lengths_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("rate", () => Dropout.Factors(Random, 0, 1, new float[3], _teams[0]));
        Assert.Throws<ArgumentOutOfRangeException>("rate", () => Dropout.Factors(Random, 0, float.NaN, new float[3], _teams[0]));
        Assert.Throws<ArgumentException>("destination", () => Dropout.Apply(new float[3], new float[3], new float[2], _teams[0]));
        Assert.Throws<ArgumentException>("destination", () => Dropout.Apply(new float[3], new float[2], new float[3], _teams[0]));
    }
}
