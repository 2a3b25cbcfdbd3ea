using CsCheck;
using Distributed.Collectives;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

public sealed class SharesTests
{
    private static readonly Gen<int[]> AnyShares = Gen.Int[0, 9].Array[1, 20].Where(shares => shares.Sum() > 0);

    [Fact]
    public void Equal_shares_differ_by_one_at_most() =>
        Gen.Select(Gen.Int[0, 300], Gen.Int[1, 20])
            .Sample(
                (whole, workers) =>
                {
                    var ranges = Ranges(whole, Shares.Equal(workers));
                    return Covers(ranges, whole) && ranges.Max(Size) - ranges.Min(Size) <= 1;
                }
            );

    [Fact]
    public void A_range_is_within_one_of_its_share() =>
        Gen.Select(Gen.Int[0, 300], AnyShares)
            .Sample(
                (whole, shares) =>
                {
                    var ranges = Ranges(whole, shares);
                    return Covers(ranges, whole)
                        && ranges.Zip(shares).All(pair => Math.Abs(Size(pair.First) - ((double)whole * pair.Second / shares.Sum())) < 1);
                }
            );

    [Fact]
    public void Shares_that_add_up_to_the_microbatches_are_the_sizes() =>
        AnyShares.Sample(shares => Ranges(shares.Sum(), shares).Select(Size).SequenceEqual(shares));

    [Fact]
    public void Slices_cover_a_vector_and_begin_on_lines() =>
        Gen.Select(Gen.Int[0, 300], Gen.Int[1, 20])
            .Sample(
                (length, owners) =>
                {
                    var slices = Enumerable.Range(0, owners).Select(rank => SliceRange.Of(length, owners, rank)).ToList();
                    return Covers(slices, length) && slices.All(slice => slice.Start == length || slice.Start % SliceRange.Alignment == 0);
                }
            );

    [Fact]
    public void Shares_of_nothing_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Shares.RangeOf(3, [0, 0], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Shares.RangeOf(3, [2, -1], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Shares.RangeOf(3, [2, 1], 2));
    }

    private static List<(int Start, int End)> Ranges(int whole, IReadOnlyList<int> shares) =>
        [.. Enumerable.Range(0, shares.Count).Select(rank => Shares.RangeOf(whole, shares, rank))];

    private static int Size((int Start, int End) range) => range.End - range.Start;

    private static bool Covers(List<(int Start, int End)> parts, int whole) =>
        parts[0].Start == 0 && parts[^1].End == whole && parts.Zip(parts.Skip(1)).All(pair => pair.First.End == pair.Second.Start);
}
