using CsCheck;
using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class SamplesAheadTests
{
    private const int Width = 3;

    [Fact]
    public void All_samples_of_a_step_have_been_asked_for_one_step_before_also_where_a_run_goes_on_in_mid_epoch() =>
        Gen.Select(Gen.ULong, Gen.Int[2, 300], Gen.Int[1, 40], Gen.Int[1, 100], Gen.Bool, Gen.Int[0, 1000])
            .Sample(
                (seed, samples, batch, block, shuffle, done) =>
                {
                    var plan = new BatchPlan(seed, samples, batch, microbatch: 1, shuffle, block);
                    Storage storage = new(samples);
                    var ahead = SamplesAhead.Of(plan, Set(storage));
                    Assert.NotNull(ahead);
                    var first = done + 1L;
                    for (var step = first; plan.Epoch(step) == plan.Epoch(first); step++)
                    {
                        var indices = plan.Of(step).Indices.ToArray();
                        if (step > first && batch <= block && block < samples)
                            Assert.All(indices, index => Assert.True(storage.Asked[index] > 0));
                        ahead.Reach(step, indices);
                        Assert.All(indices, index => Assert.True(storage.Asked[index] > 0));
                    }

                    // A short block may be asked for again when its own samples come.
                    Assert.All(storage.Asked, times => Assert.InRange(times, 0, block >= samples || samples % block == 0 ? 1 : 2));
                }
            );

    [Fact]
    public void Blocks_that_are_too_large_to_keep_are_read_row_by_row_and_what_is_in_memory_not_at_all()
    {
        var plan = new BatchPlan(seed: 1, sampleCount: 100, batchSize: 10, microbatch: 1, shuffle: true, block: 20);
        Assert.Null(SamplesAhead.Of(plan, new SampleSet(Decoder(Width), new int[100], new byte[100 * Width])));
        Assert.Equal(10, Asked(width: 4 << 20));
        Assert.Equal(40, Asked(width: 3 << 20));

        int Asked(int width)
        {
            Storage storage = new(100, width);
            SamplesAhead.Of(plan, Set(storage, width))!.Reach(1, plan.Of(1).Indices);
            return storage.Asked.Sum();
        }
    }

    private static SampleDecoder Decoder(int width) => new(Preprocessing.Bytes(255), new SampleShape(1, 1, width));

    private static SampleSet Set(Storage storage, int width = Width) => new(Decoder(width), storage, targetWidth: 1);

    private sealed class Storage(int samples, int width = Width) : SampleStorage
    {
        private readonly int[] _targets = new int[samples];

        public int[] Asked { get; } = new int[samples];

        public override long Length => (long)samples * width;

        public override ReadOnlySpan<int> Targets => _targets;

        public override bool IsReadOnDemand => true;

        public override ReadOnlySpan<byte> Stored(long offset, int length) => new byte[length];

        public override void ReadAhead(ReadOnlyMemory<int> indices, int bytesPerSample)
        {
            foreach (var sample in indices.Span)
                Asked[sample]++;
        }

        public override void ReadAhead(long offset, long length)
        {
            for (var sample = (int)(offset / width); sample < (offset + length) / width; sample++)
                Asked[sample]++;
        }
    }
}
