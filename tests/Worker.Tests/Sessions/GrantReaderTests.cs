using System.Runtime.InteropServices;
using CsCheck;
using Distributed.Data;
using Distributed.Protocol;
using Distributed.Training;
using Distributed.Worker.Sessions;
using Google.Protobuf;
using Xunit;

namespace Distributed.Worker.Tests.Sessions;

/// <summary>A worker that holds the data and one that is sent samples must see the same numbers.</summary>
public sealed class GrantReaderTests
{
    private const long Step = 4;

    private static readonly ViewGeneration View = new(1, 1);

    private static readonly Dataset Digits = DatasetLoader.Load(new DataOptions());

    private readonly GrantReader _holding = new(Decoder(), targetWidth: 1, Digits);
    private readonly GrantReader _lacking = new(Decoder(), targetWidth: 1, dataset: null);

    [Fact]
    public void Shards_of_any_sizes_give_the_samples_that_indices_give() =>
        Gen.Select(Gen.Int[0, Digits.Train.Count - 1].Array[1, 50], Gen.Int[1, 20])
            .Sample(
                (indices, most) =>
                {
                    var reader = new GrantReader(Decoder(), targetWidth: 1, dataset: null);
                    var indexed = new GrantReader(Decoder(), targetWidth: 1, Digits).Take(View, Indexed(indices))!;
                    var work = reader.Take(View, Announcing(indices.Length));
                    foreach (var part in indices.Chunk(most))
                    {
                        Assert.Null(work);
                        work = reader.Take(ShardOf(part));
                    }

                    Assert.Equal((Step, Work.Train, 9, 100), (work!.Step, work.Work, work.Batch.Microbatches, work.Batch.TotalSamples));
                    var (expected, actual) = (Content(indexed.Batch.Samples), Content(work.Batch.Samples));
                    Assert.Equal(indices, work.Batch.Samples.Indices);
                    Assert.Equal(expected.Inputs, actual.Inputs);
                    Assert.Equal(expected.Labels, actual.Labels);
                },
                threads: 1
            );

    // More indices than a message may hold come in shards.
    [Fact]
    public void Shards_of_indices_alone_are_those_of_a_worker_that_holds_the_data()
    {
        int[] indices = [3, 1, 2, 9, 5];
        Assert.Null(_holding.Take(View, Announcing(indices.Length)));
        Assert.Null(_holding.Take(IndexShard([3, 1, 2])));
        var work = _holding.Take(IndexShard([9, 5]))!;
        var expected = new GrantReader(Decoder(), targetWidth: 1, Digits).Take(View, Indexed(indices))!;
        Assert.Equal(Content(expected.Batch.Samples).Inputs, Content(work.Batch.Samples).Inputs);
        Assert.Equal(indices, work.Batch.Samples.Indices);

        Assert.Null(_lacking.Take(View, Announcing(2)));
        Assert.Throws<InvalidDataException>(() => _lacking.Take(IndexShard([9, 5])));
    }

    private static Shard IndexShard(int[] indices) => new() { Indices = ByteString.CopyFrom(MemoryMarshal.AsBytes<int>(indices)) };

    [Fact]
    public void Indices_refer_to_the_test_set_in_an_evaluation()
    {
        var grant = Indexed([3, 1]);
        grant.Work = Work.Evaluate;
        var expected = new float[2 * Digits.Shape.Length];
        Digits.Test.Decode([3, 1], expected);
        Assert.Equal(expected, Content(_holding.Take(View, grant)!.Batch.Samples).Inputs);
    }

    [Fact]
    public void A_share_without_samples_needs_neither_the_data_nor_a_shard()
    {
        Assert.Equal(0, _lacking.Take(View, Indexed([]))!.Batch.Samples.Count);
        Assert.Equal(0, _holding.Take(View, Indexed([]))!.Batch.Samples.Count);
    }

    [Fact]
    public void Indices_are_refused_by_a_worker_without_the_data() =>
        Assert.Throws<InvalidDataException>(() => _lacking.Take(View, Indexed([1])));

    [Fact]
    public void A_grant_before_the_samples_of_the_last_one_is_refused()
    {
        Assert.Null(_lacking.Take(View, Announcing(3)));
        Assert.Null(_lacking.Take(ShardOf([1, 2])));
        Assert.Throws<InvalidDataException>(() => _lacking.Take(View, Announcing(3)));
    }

    [Fact]
    public void More_samples_than_the_batch_has_are_refused() =>
        Assert.Throws<InvalidDataException>(() => _lacking.Take(View, Announcing(101)));

    [Theory]
    [InlineData(1u << 31, 1u << 31, 1u)]
    [InlineData(1u << 30, 1u << 30, 1u)] // the bytes of the samples
    [InlineData(0u, uint.MaxValue, 1u)]
    [InlineData(0u, 1u, uint.MaxValue)]
    public void A_grant_that_no_worker_can_hold_is_refused_by_name(uint shardSamples, uint samples, uint microbatches)
    {
        var refusal = Assert.Throws<InvalidDataException>(() =>
            _lacking.Take(
                View,
                new Grant
                {
                    Step = (ulong)Step,
                    ShardSamples = shardSamples,
                    Samples = samples,
                    Microbatches = microbatches,
                }
            )
        );
        Assert.StartsWith($"step {Step}: a grant of {shardSamples} samples", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shard_that_fits_no_grant_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => _lacking.Take(ShardOf([1])));
        _lacking.Take(View, Announcing(2));
        Assert.Throws<InvalidDataException>(() => _lacking.Take(ShardOf([1, 2, 3])));
        var halved = ShardOf([1, 2]);
        halved.Samples = ByteString.CopyFrom(halved.Samples.Span[1..]);
        Assert.Throws<InvalidDataException>(() => _lacking.Take(halved));
        var unnamed = ShardOf([1, 2]);
        unnamed.Indices = ByteString.Empty;
        Assert.Throws<InvalidDataException>(() => _lacking.Take(unnamed));
    }

    [Fact]
    public void A_target_may_have_several_words()
    {
        var reader = new GrantReader(Decoder(), targetWidth: 2, dataset: null);
        reader.Take(View, Announcing(3));
        var (first, second) = (ShardOf([5, 1]), ShardOf([7]));
        first.Targets = Bytes([10, 11, 12, 13]);
        second.Targets = Bytes([14, 15]);
        Assert.Null(reader.Take(first));
        var samples = reader.Take(second)!.Batch.Samples;

        var targets = new int[4];
        samples.Decode(1, 2, new float[2 * Digits.Shape.Length], targets);
        Assert.Equal([12, 13, 14, 15], targets);
    }

    private static SampleDecoder Decoder() => new(Digits.Preprocessing, Digits.Shape);

    private static Grant Indexed(int[] indices) =>
        new()
        {
            Step = (ulong)Step,
            Work = Work.Train,
            Microbatches = 9,
            Samples = 100,
            Indices = Bytes(indices),
        };

    private static Grant Announcing(int samples) =>
        new()
        {
            Step = (ulong)Step,
            Work = Work.Train,
            Microbatches = 9,
            Samples = 100,
            ShardSamples = (uint)samples,
        };

    private static Shard ShardOf(int[] indices)
    {
        var stored = new byte[indices.Length * Digits.Train.BytesPerSample];
        for (var i = 0; i < indices.Length; i++)
            Digits.Train.CopyRaw(indices[i], stored.AsSpan(i * Digits.Train.BytesPerSample));
        return new Shard
        {
            Samples = ByteString.CopyFrom(stored),
            Indices = Bytes(indices),
            Targets = Bytes([.. indices.Select(index => Digits.Train.Targets[index])]),
        };
    }

    private static ByteString Bytes(int[] numbers) => ByteString.CopyFrom(MemoryMarshal.AsBytes<int>(numbers));

    private static (float[] Inputs, int[] Labels) Content(ISampleSource samples)
    {
        var (inputs, labels) = (new float[samples.Count * Digits.Shape.Length], new int[samples.Count]);
        samples.Decode(0, samples.Count, inputs, labels);
        return (inputs, labels);
    }
}
