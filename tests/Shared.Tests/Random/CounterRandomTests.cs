using System.Runtime.Intrinsics;
using CsCheck;
using Distributed.Random;
using Xunit;

namespace Distributed.Shared.Tests.Random;

public sealed class CounterRandomTests
{
    [Fact]
    public void The_first_draws_of_seed_zero_are_the_words_of_one_block()
    {
        var random = new CounterRandom(0, RandomPurpose.None, 0);

        uint[] draws = [random.UInt32(0), random.UInt32(1), random.UInt32(2), random.UInt32(3)];

        Assert.Equal([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8], draws);
    }

    [Fact]
    public void Eight_blocks_are_the_draws_one_after_the_other() =>
        Gen.Select(Gen.ULong, Gen.ULong[0, (1UL << 56) - 1], Gen.ULong[0, (1UL << 62) - 8])
            .Sample(
                (seed, stream, block) =>
                {
                    var random = new CounterRandom(seed, RandomPurpose.Dropout, stream);
                    var (first, second) = random.EightBlocks(block);
                    for (var i = 0; i < 32; i++)
                        Assert.Equal(random.UInt32((4 * block) + (ulong)i), i < 16 ? first.GetElement(i) : second.GetElement(i - 16));
                }
            );

    [Fact]
    public void Index_stream_and_purpose_are_places_of_the_counter()
    {
        const ulong Seed = 0x0123456789abcdef,
            Stream = 0x00aabbccddeeff00,
            Index = 0xfedcba9876543211;
        var counter = Vector128.Create(0x1d950c84u, 0x3fb72ea6u, 0xddeeff00u, 0x03aabbccu);

        var draw = new CounterRandom(Seed, RandomPurpose.Dropout, Stream).UInt32(Index);

        Assert.Equal(Philox.Block(counter, Seed).GetElement(1), draw);
    }

    [Fact]
    public void Every_part_of_the_position_changes_the_draw() =>
        (
            from seed in Gen.ULong
            from stream in Gen.ULong[0, (1UL << 56) - 2]
            from index in Gen.ULong[0, ulong.MaxValue - 4]
            select (seed, stream, index)
        ).Sample(
            position =>
            {
                var (seed, stream, index) = position;
                uint[] draws =
                [
                    new CounterRandom(seed, RandomPurpose.Shuffle, stream).UInt32(index),
                    new CounterRandom(seed + 1, RandomPurpose.Shuffle, stream).UInt32(index),
                    new CounterRandom(seed, RandomPurpose.Dropout, stream).UInt32(index),
                    new CounterRandom(seed, RandomPurpose.Shuffle, stream + 1).UInt32(index),
                    new CounterRandom(seed, RandomPurpose.Shuffle, stream).UInt32(index + 4),
                ];
                Assert.Equal(draws.Length, draws.Distinct().Count());
            },
            seed: "0000000000001",
            iter: 1000
        );

    [Fact]
    public void Uniform_is_in_the_half_open_unit_interval_and_evenly_spread()
    {
        var random = new CounterRandom(7, RandomPurpose.InitialWeights, 3);
        var bins = new int[16];
        for (ulong index = 0; index < 16_000; index++)
        {
            var value = random.Uniform(index);
            Assert.InRange(value, 0f, 1f - (1f / (1 << 24)));
            bins[(int)(value * 16)]++;
        }

        Assert.All(bins, count => Assert.InRange(count, 850, 1150));
    }

    [Fact]
    public void Below_reaches_every_value_and_no_other()
    {
        var random = new CounterRandom(7, RandomPurpose.Shuffle, 1);

        var values = Enumerable.Range(0, 1000).Select(index => random.Below((ulong)index, 10));

        Assert.Equal(Enumerable.Range(0, 10).Select(value => (uint)value), values.Distinct().Order());
    }

    [Fact]
    public void A_stream_that_would_run_into_the_purpose_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new CounterRandom(0, RandomPurpose.Shuffle, 1UL << 56));

    [Fact]
    public void A_bound_of_zero_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new CounterRandom(0, RandomPurpose.Shuffle, 0).Below(0, 0));
}
