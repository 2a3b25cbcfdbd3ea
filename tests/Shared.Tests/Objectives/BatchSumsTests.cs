using System.Runtime.Intrinsics;
using CsCheck;
using Distributed.Objectives;
using Xunit;

namespace Distributed.Shared.Tests.Objectives;

public sealed class BatchSumsTests
{
    private static readonly Gen<BatchSums> Any = Gen.Select(
        Gen.Single.Array[BatchSums.FloatCount],
        Gen.Long.Array[BatchSums.CountCount],
        Gen.Long,
        (floats, counts, samples) => new BatchSums(Vector128.Create(floats), Vector256.Create(counts), samples)
    );

    [Fact]
    public void Sums_come_back_as_they_were_written() =>
        Any.Sample(sums =>
        {
            var bytes = new byte[BatchSums.ByteLength];
            sums.Write(bytes);
            Assert.Equal(sums, BatchSums.Read(bytes));
        });

    [Fact]
    public void They_travel_as_little_endian_floats_counts_and_samples()
    {
        var bytes = new byte[BatchSums.ByteLength];
        new BatchSums(loss: 1f, count: 2, samples: 3).Write(bytes);
        byte[] expected = [0, 0, 0x80, 0x3f, .. new byte[12], 2, .. new byte[31], 3, .. new byte[7]];
        Assert.Equal(expected, bytes);
    }

    [Fact]
    public void Neighbours_are_joined_element_by_element()
    {
        BatchSums left = new(Vector128.Create(1f, 2, 3, 4), Vector256.Create(10L, 20, 30, 40), 100);
        BatchSums right = new(Vector128.Create(0.5f, 0.25f, 0.125f, 0), Vector256.Create(1L, 2, 3, 4), 5);
        Assert.Equal(
            new BatchSums(Vector128.Create(1.5f, 2.25f, 3.125f, 4), Vector256.Create(11L, 22, 33, 44), 105),
            BatchSums.Merge(left, right)
        );
    }

    [Fact]
    public void Counts_are_exact_where_floats_would_round()
    {
        BatchSums many = new(0, count: 1L << 60, samples: 1L << 60);
        Assert.Equal((1L << 60) + 1, BatchSums.Merge(many, new BatchSums(0, count: 1, samples: 1)).Counts[0]);
    }

    [Fact]
    public void The_loss_is_the_first_float() => Assert.Equal((6f, 2f), (new BatchSums(6, 0, 3).Loss, new BatchSums(6, 0, 3).MeanLoss));
}
