using System.Globalization;
using CsCheck;
using Distributed.Collectives;
using Distributed.Collectives.Transports;
using Distributed.Collectives.Transports.SharedMemory;
using Xunit;

namespace Distributed.Shared.Tests.Collectives.SharedMemory;

/// <summary>Regions that two processes map; here mostly one process, twice.</summary>
public sealed class SharedRegionTests
{
    private static readonly RegionLayout Layout = new(Members: 3, Buckets: 2, Nodes: 2, Length: 40_000);

    private const long Record = NodeRecord.MaximumNodes * NodeRecord.Length * sizeof(float);

    public SharedRegionTests() => Assert.SkipUnless(LinuxCalls.AreKnown, "shared memory needs Linux");

    [Fact]
    public void A_peer_reads_in_place_what_the_owner_writes()
    {
        using var own = Create();
        using var seen = Open(own.Offer());
        for (var index = 0; index < Layout.Nodes; index++)
            own.Node(index).GetSpan().Fill(index + 1);
        own.Slices().GetSpan().Fill(9);

        Assert.All(seen.Node(0).GetSpan().ToArray(), value => Assert.Equal(1, value));
        Assert.All(seen.Node(1).GetSpan().ToArray(), value => Assert.Equal(2, value));
        Assert.All(seen.Slices().Memory.ToArray(), value => Assert.Equal(9, value));
        own.Node(0).GetSpan()[7] = 5;
        Assert.Equal(5, seen.Node(0).GetSpan()[7]);
    }

    [Fact]
    public void A_region_is_answered_by_whoever_maps_it_and_by_nobody_else()
    {
        using var own = Create();
        using var other = Create();
        using var seen = Open(own.Offer());
        seen.Answer(rank: 2, other.Offer().Nonce);

        Assert.True(own.IsAnswered(2, other.Offer().Nonce));
        Assert.False(own.IsAnswered(1, other.Offer().Nonce));
        Assert.False(own.IsAnswered(2, own.Offer().Nonce));
        Assert.NotEqual(own.Offer().Nonce, other.Offer().Nonce);
    }

    [Fact]
    public void An_offer_that_is_not_of_the_region_that_is_found_is_refused()
    {
        using var own = Create();
        var offer = own.Offer();

        Assert.Contains("is not its region", Refusal(offer with { Nonce = offer.Nonce + 1 }), StringComparison.Ordinal);
        Assert.Contains("bytes instead of", Refusal(offer with { Bytes = offer.Bytes + 1 }), StringComparison.Ordinal);
        Assert.Contains("not to be seen from here", Refusal(offer with { ProcessId = int.MaxValue }), StringComparison.Ordinal);
        Assert.Contains("not to be seen from here", Refusal(offer with { Descriptor = -1 }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_region_of_another_length_is_refused_before_it_is_mapped()
    {
        using var longer = SharedRegion.TryCreate(Layout with { Length = Layout.Length + 100_000 }, out _)!;
        Assert.Contains("has not the length", Refusal(longer.Offer() with { Bytes = Layout.Bytes }), StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_other_kinds_are_not_opened()
    {
        var path = Path.GetTempFileName();
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, options: FileOptions.DeleteOnClose);
        RandomAccess.SetLength(file, Layout.Bytes);
        var offer = new RegionOffer(Environment.ProcessId, LinuxCalls.Descriptor(file), Layout.Bytes, Nonce: 0);

        Assert.Contains("not to be seen from here", Refusal(offer), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_found_once_the_owner_has_disposed_its_region_but_those_who_map_it_keep_it()
    {
        var own = Create();
        using var seen = Open(own.Offer());
        var (offer, values) = (own.Offer(), own.Node(0));
        values.GetSpan()[0] = 3;
        own.Dispose();

        Assert.NotEmpty(Refusal(offer));
        Assert.Equal(3, seen.Node(0).GetSpan()[0]);
        Assert.Throws<ObjectDisposedException>(() => values.GetSpan().Length);
    }

    [Fact]
    public async Task A_region_is_gone_with_a_process_that_is_killed_and_its_peers_can_still_read_it()
    {
        using var holder = RegionHolder.Start();
        var offer = await holder.OfferAsync();
        using var seen = SharedRegion.TryOpen(offer, RegionHolder.Layout, out var refusal);
        Assert.True(seen is not null, refusal);

        await holder.KillAsync();

        Assert.Equal(RegionHolder.Value, seen.Node(0).GetSpan()[^1]);
        Assert.Null(SharedRegion.TryOpen(offer, RegionHolder.Layout, out refusal));
        Assert.Contains("not to be seen from here", refusal, StringComparison.Ordinal);
        Assert.False(File.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{offer.ProcessId}/fd/{offer.Descriptor}")));
    }

    [Fact]
    public void No_two_parts_of_a_region_overlap_and_each_begins_on_a_line() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 6], Gen.Int[1, 200_000])
            .Sample(
                (members, buckets, nodes, length) =>
                {
                    var layout = new RegionLayout(members, buckets, nodes, length);
                    var vector = (long)length * sizeof(float);
                    List<(long Start, long Bytes)> parts =
                    [
                        (RegionLayout.HeaderOffset, 64),
                        (RegionLayout.SignalOffset, 64),
                        (layout.SlicesOffset, vector),
                        (layout.RecordOffset(0), Record),
                        (layout.RecordOffset(1), Record),
                        (layout.CounterOffset(new ExchangePart(PartKind.Record, 0)), 64),
                        .. Enumerable.Range(0, members).Select(rank => (RegionLayout.AnswerOffset(rank), 64L)),
                        .. Enumerable
                            .Range(0, buckets)
                            .Select(bucket => (layout.CounterOffset(new ExchangePart(PartKind.Nodes, bucket)), 64L)),
                        .. Enumerable
                            .Range(0, buckets)
                            .Select(bucket => (layout.CounterOffset(new ExchangePart(PartKind.Slice, bucket)), 64L)),
                        .. Enumerable.Range(0, nodes).Select(index => (layout.NodeOffset(index), vector)),
                    ];
                    parts.Sort();
                    Assert.All(parts, part => Assert.Equal(0, part.Start % 64));
                    Assert.All(parts.Zip(parts.Skip(1)), pair => Assert.True(pair.First.Start + pair.First.Bytes <= pair.Second.Start));
                    Assert.True(parts[^1].Start + parts[^1].Bytes <= layout.Bytes);
                    Assert.True(
                        layout.CounterOffset(new ExchangePart(PartKind.Record, 0)) < layout.LineBytes
                            && layout.LineBytes <= layout.NodeOffset(0)
                    );
                }
            );

    private static SharedRegion Create() => SharedRegion.TryCreate(Layout, out var refusal) ?? throw new InvalidOperationException(refusal);

    private static SharedRegion Open(RegionOffer offer) =>
        SharedRegion.TryOpen(offer, Layout, out var refusal) ?? throw new InvalidOperationException(refusal);

    private static string Refusal(RegionOffer offer)
    {
        Assert.Null(SharedRegion.TryOpen(offer, Layout, out var refusal));
        return refusal;
    }
}
