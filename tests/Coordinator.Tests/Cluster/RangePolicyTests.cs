using CsCheck;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Membership;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class RangePolicyTests
{
    private static readonly Gen<(double[] Times, int Microbatches)> Clusters =
        from times in Gen.Double[0.5, 5].Array[1, 8]
        from microbatches in Gen.Int[1, 60]
        select (times, microbatches);

    [Fact]
    public void All_microbatches_are_shared_out_and_everyone_keeps_one_if_there_are_enough() =>
        Clusters.Sample(cluster =>
        {
            var shares = RangePolicy.Fastest(cluster.Times, cluster.Microbatches);
            return shares.Sum() == cluster.Microbatches && (cluster.Microbatches < shares.Count || shares.All(share => share > 0));
        });

    // No microbatch can be moved from the last worker to be done to another that would then be done sooner than that.
    [Fact]
    public void Nobody_could_take_a_microbatch_from_the_last_and_be_done_sooner() =>
        Clusters.Sample(cluster =>
        {
            var (times, shares) = (cluster.Times, RangePolicy.Fastest(cluster.Times, cluster.Microbatches));
            var last = Enumerable.Range(0, times.Length).MaxBy(rank => times[rank] * shares[rank]);
            return (shares[last] == 1 && cluster.Microbatches >= times.Length)
                || Enumerable.Range(0, times.Length).All(rank => times[rank] * (shares[rank] + 1) >= times[last] * shares[last]);
        });

    [Fact]
    public void Ranges_that_follow_speed_are_left_alone() =>
        Clusters.Sample(cluster =>
            RangePolicy.Next(cluster.Times, RangePolicy.Fastest(cluster.Times, cluster.Microbatches), cluster.Microbatches) is null
        );

    [Theory]
    [InlineData(1.0, 1.0, null)]
    [InlineData(1.0, 1.3, null)] // 4 and 4 take 5.2, 5 and 3 take 5: not worth it
    [InlineData(1.0, 2.0, new[] { 6, 2 })] // 8 becomes 6
    [InlineData(4.0, 1.0, new[] { 1, 7 })] // 16 becomes 7
    [InlineData(1.0, 100.0, new[] { 7, 1 })]
    public void Eight_microbatches_on_two_workers(double first, double second, int[]? shares) =>
        Assert.Equal(shares, RangePolicy.Next([first, second], Shares.Equal(2), 8));

    [Fact]
    public void Slowness_is_counted_in_times_of_the_middle_worker()
    {
        Assert.Equal(3, RangePolicy.Slowness([1, 1, 3, 1], 2));
        Assert.Equal(2, RangePolicy.Slowness([1, 2], 1));
        Assert.Equal(1, RangePolicy.Slowness([1, 2], 0));
    }
}
