using CsCheck;
using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class BatchPlanTests
{
    private static readonly Gen<(ulong Seed, int Samples, int Batch, int Microbatch, bool Shuffle)> Plans =
        from seed in Gen.ULong
        from samples in Gen.Int[1, 300]
        from batch in Gen.Int[1, 320]
        from microbatch in Gen.Int[1, batch]
        from shuffle in Gen.Bool
        select (seed, samples, batch, microbatch, shuffle);

    [Fact]
    public void Every_sample_is_used_exactly_once_in_an_epoch() =>
        Plans
            .Select(Gen.Int[0, 3])
            .Sample(
                (parameters, epoch) =>
                {
                    var plan = Create(parameters);
                    var before = (long)epoch * plan.StepsPerEpoch;
                    var used = Enumerable.Range(1, plan.StepsPerEpoch).SelectMany(step => plan.Of(before + step).Indices.ToArray());

                    Assert.Equal(Enumerable.Range(0, parameters.Samples), used.Order());
                }
            );

    [Fact]
    public void A_batch_depends_on_nothing_that_was_asked_before() =>
        Plans
            .Select(Gen.Long[1, 1000].Array[1, 8])
            .Sample(
                (parameters, steps) =>
                {
                    var used = Create(parameters);
                    foreach (var step in steps)
                        Assert.Equal(Create(parameters).Of(step).Indices.ToArray(), used.Of(step).Indices.ToArray());
                }
            );

    [Fact]
    public void Microbatches_cover_the_rows_of_a_batch_in_order() =>
        Plans
            .Select(Gen.Long[1, 1000])
            .Sample(
                (parameters, step) =>
                {
                    var batch = Create(parameters).Of(step);
                    var row = 0;
                    for (var i = 0; i < batch.MicrobatchCount; i++)
                    {
                        var (start, length) = batch.Rows(i, i + 1).GetOffsetAndLength(batch.Indices.Length);
                        Assert.Equal(row, start);
                        Assert.Equal(Math.Min(parameters.Microbatch, batch.Indices.Length - row), length);
                        row += length;
                    }

                    Assert.Equal(batch.Indices.Length, row);
                    Assert.Equal(0..row, batch.Rows(0, batch.MicrobatchCount));
                }
            );

    [Fact]
    public void Without_shuffling_samples_come_in_file_order_and_the_last_batch_is_short()
    {
        var plan = new BatchPlan(1, sampleCount: 10, batchSize: 4, microbatch: 3, shuffle: false);

        Assert.Equal(3, plan.StepsPerEpoch);
        Assert.Equal([0, 1, 2, 3], plan.Of(1).Indices.ToArray());
        Assert.Equal([8, 9], plan.Of(3).Indices.ToArray());
        Assert.Equal([0, 1, 2, 3], plan.Of(4).Indices.ToArray());
        Assert.Equal([1, 1, 1, 2, 2, 2, 3], Enumerable.Range(1, 7).Select(step => plan.Epoch(step)));
    }

    [Fact]
    public void The_shuffle_never_changes()
    {
        var plan = new BatchPlan(42, sampleCount: 12, batchSize: 12, microbatch: 4, shuffle: true);

        Assert.Equal("8 5 6 1 11 3 2 4 7 10 9 0", string.Join(" ", plan.Of(1).Indices.ToArray()));
        Assert.Equal("7 4 1 9 2 5 3 10 11 8 6 0", string.Join(" ", plan.Of(2).Indices.ToArray()));
    }

    [Fact]
    public void Each_sample_comes_first_equally_often_over_many_epochs()
    {
        var plan = new BatchPlan(3, sampleCount: 5, batchSize: 5, microbatch: 5, shuffle: true);
        var counts = new int[5];

        for (long epoch = 1; epoch <= 5000; epoch++)
            counts[plan.Of(epoch).Indices.Span[0]]++;

        Assert.All(counts, count => Assert.InRange(count, 880, 1120));
    }

    [Fact]
    public void Concurrent_readers_of_different_epochs_get_their_own()
    {
        var plan = new BatchPlan(9, sampleCount: 100, batchSize: 100, microbatch: 10, shuffle: true);
        int[][] expected = [.. Enumerable.Range(1, 4).Select(step => new BatchPlan(9, 100, 100, 10, true).Of(step).Indices.ToArray())];

        Parallel.For(0, 400, i => Assert.Equal(expected[i % 4], plan.Of((i % 4) + 1).Indices.ToArray()));
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(1, 1, 0)]
    [InlineData(10, 4, 5)]
    public void Sizes_out_of_range_are_a_bug_of_the_caller(int samples, int batch, int microbatch) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchPlan(0, samples, batch, microbatch, shuffle: true));

    [Fact]
    public void Steps_and_microbatches_out_of_range_are_a_bug_of_the_caller()
    {
        var plan = new BatchPlan(0, 10, 10, 4, shuffle: true);

        Assert.Throws<ArgumentOutOfRangeException>(() => plan.Of(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.Of(1).Rows(0, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.Of(1).Rows(2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => plan.Of(1).Rows(-1, 1));
    }

    [Fact]
    public void With_blocks_every_sample_is_used_once_and_those_of_a_block_stay_together() =>
        Plans
            .Select(Gen.Int[1, 300], Gen.Int[1, 3])
            .Sample(
                (parameters, block, epoch) =>
                {
                    var order = Epoch(Create(parameters with { Shuffle = true }, block), epoch);

                    Assert.Equal(Enumerable.Range(0, parameters.Samples), order.Order());
                    var place = 0;
                    while (place < order.Length)
                    {
                        var number = order[place] / block;
                        var length = Math.Min(block, parameters.Samples - (number * block));
                        Assert.All(order.AsSpan(place, length).ToArray(), sample => Assert.Equal(number, sample / block));
                        place += length;
                    }
                }
            );

    [Theory]
    [InlineData(100)]
    [InlineData(1000)]
    public void One_block_of_all_samples_is_the_shuffle_without_blocks(int block) =>
        Assert.Equal(Epoch(new BatchPlan(7, 100, 9, 3, shuffle: true), 2), Epoch(new BatchPlan(7, 100, 9, 3, shuffle: true, block), 2));

    [Fact]
    public void The_shuffle_with_blocks_never_changes()
    {
        var order = Epoch(new BatchPlan(5, 10, 10, 1, shuffle: true, block: 4), 1);
        Assert.Equal("8 9 0 2 3 1 4 7 5 6", string.Join(' ', order));
        Assert.Equal(Epoch(new BatchPlan(5, 4, 4, 1, shuffle: true), 1), order[2..6]); // the first block, as if it were alone
    }

    private static int[] Epoch(BatchPlan plan, int epoch)
    {
        var before = (epoch - 1L) * plan.StepsPerEpoch;
        return [.. Enumerable.Range(1, plan.StepsPerEpoch).SelectMany(step => plan.Of(before + step).Indices.ToArray())];
    }

    private static BatchPlan Create((ulong Seed, int Samples, int Batch, int Microbatch, bool Shuffle) parameters, int? block = null) =>
        new(parameters.Seed, parameters.Samples, parameters.Batch, parameters.Microbatch, parameters.Shuffle, block);
}
