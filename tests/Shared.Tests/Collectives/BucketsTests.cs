using CsCheck;
using Distributed.Collectives;
using Distributed.Model;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

public sealed class BucketsTests
{
    private static readonly Gen<ParameterLayout> Layouts = Gen.Int[1, 3_000_000].Array[1, 12].Select(Layout);

    private static readonly SampleShape Image = new(1, 28, 28);

    [Fact]
    public void Buckets_cover_the_vector_from_its_end_and_begin_on_lines() =>
        Gen.Select(Layouts, Gen.Int[1, 2000])
            .Sample(
                (layout, owners) =>
                {
                    var buckets = Buckets.Of(layout, owners);
                    return buckets[0].End == layout.Length
                        && buckets[^1].Start == 0
                        && buckets.Zip(buckets.Skip(1)).All(pair => pair.First.Start == pair.Second.End)
                        && buckets.All(bucket => bucket.Start % SliceRange.Alignment == 0);
                }
            );

    [Fact]
    public void Slices_are_worth_a_message_as_far_as_the_vector_goes() =>
        Gen.Select(Layouts, Gen.Int[1, 2000])
            .Sample(
                (layout, owners) =>
                    Buckets.Of(layout, owners).SkipLast(1).All(bucket => bucket.Length >= owners * Buckets.SmallestSlice / 2)
            );

    [Theory]
    [InlineData("mlp", new[] { 267_786, 401_920 })] // the last two layers, the first
    [InlineData("mlp:2048,2048", new[] { 1_054_218, 1_054_208, 1_054_208, 1_054_208, 803_840, 803_840 })]
    public void Models_are_cut_between_their_layers_and_large_layers_evenly(string model, int[] lengths) =>
        Assert.Equal(lengths, Buckets.Of(new Network(ModelSpec.Parse(model), Image, 10).Layout, 2).Select(bucket => bucket.Length));

    [Fact]
    public void A_small_model_is_one_bucket() => Assert.Equal([new Bucket(0, 70)], Buckets.Of(Layout([30, 40]), 3));

    private static ParameterLayout Layout(int[] lengths) =>
        ParameterLayout.Of(lengths.Select((length, index) => ($"p{index}", (IReadOnlyList<int>)[length])));
}
