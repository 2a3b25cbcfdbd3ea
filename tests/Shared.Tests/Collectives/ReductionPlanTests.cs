using CsCheck;
using Distributed.Collectives;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

public sealed class ReductionPlanTests
{
    /// <summary>Buckets of any sizes over a vector; cuts lie on lines.</summary>
    internal static Gen<IReadOnlyList<Bucket>> BucketsOver(int length) =>
        Gen.Int[0, length / SliceRange.Alignment]
            .Array[0, 5]
            .Select(cuts =>
            {
                var bounds = cuts.Select(cut => cut * SliceRange.Alignment).Append(0).Append(length).Distinct().OrderDescending().ToList();
                return (IReadOnlyList<Bucket>)[.. bounds.Zip(bounds.Skip(1), (end, start) => new Bucket(start, end))];
            });

    private static readonly Gen<ReductionPlan> Plans =
        from length in Gen.Int[1, 500]
        from buckets in BucketsOver(length)
        from shares in Gen.Int[0, 4].Array[1, 9].Where(shares => shares.Sum() > 0)
        from microbatches in Gen.Int[1, 40]
        select new ReductionPlan(microbatches, shares, buckets);

    [Fact]
    public void Slices_of_all_owners_cover_every_bucket() =>
        Plans.Sample(plan =>
        {
            for (var bucket = 0; bucket < plan.Buckets.Count; bucket++)
            {
                var slices = Enumerable.Range(0, plan.Workers).Select(owner => plan.SliceOf(bucket, owner)).ToList();
                Assert.Equal(plan.Buckets[bucket], new Bucket(slices[0].Start, slices[^1].End));
                Assert.True(slices.Zip(slices.Skip(1)).All(pair => pair.First.End == pair.Second.Start));
                Assert.All(slices, slice => Assert.True(slice.Length == 0 || slice.Start % SliceRange.Alignment == 0));
            }
        });

    [Fact]
    public void Every_element_belongs_to_the_bucket_that_has_it() =>
        Plans.Sample(plan =>
        {
            var length = plan.Buckets[0].End;
            return Enumerable
                    .Range(0, length)
                    .All(element => plan.Buckets[plan.BucketAt(element)] is var bucket && bucket.Start <= element && element < bucket.End)
                && plan.BucketAt(-1) == -1
                && plan.BucketAt(length) == -1
                && plan.BucketAt(1L << 40) == -1;
        });

    [Fact]
    public void The_holder_of_a_place_holds_it() =>
        Plans.Sample(plan =>
            Enumerable
                .Range(0, plan.Nodes.Count)
                .All(place =>
                    plan.PlaceOf(plan.Nodes[place].Start) == place
                    && plan.PlacesOf(plan.HolderOf(place)) is var (first, count)
                    && place >= first
                    && place < first + count
                )
        );

    // 8 microbatches on 3 workers: [0, 2) is one block, [2, 5) two, [5, 8) two, so reduce-scatter sends 5/3 of the vector on average.
    [Fact]
    public void Unaligned_ranges_send_a_vector_more_for_each_further_block()
    {
        Bucket[] whole = [new(0, 3 * 16)];
        var plan = new ReductionPlan(8, Shares.Equal(3), whole);
        const int slice = 16 * sizeof(float);
        Assert.Equal(
            [(2 * slice) + (2 * slice), (4 * slice) + (2 * slice), (4 * slice) + (2 * slice)],
            Enumerable.Range(0, 3).Select(plan.BytesSentBy)
        );
    }

    [Fact]
    public void Aligned_ranges_send_twice_the_vector_less_what_stays_for_any_number_of_workers()
    {
        foreach (var workers in new[] { 2, 4, 8, 16 })
        {
            var plan = new ReductionPlan(16, Shares.Equal(workers), [new(0, 16 * 16 * 16)]);
            var own = plan.OwnedElements(0);
            Assert.All(Enumerable.Range(0, workers), rank =>
                Assert.Equal(2L * sizeof(float) * ((16 * 16 * 16) - own), plan.BytesSentBy(rank))
            );
        }
    }
}
