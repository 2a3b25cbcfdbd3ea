using Distributed.Collectives;
using Distributed.Collectives.Transports.SharedMemory;
using Xunit;

namespace Distributed.Shared.Tests.Collectives.SharedMemory;

/// <summary>A state that one process leaves in memory for another; here one process, twice.</summary>
public sealed class SharedStateTests
{
    private const int Length = 300_001; // no multiple of a page, and more than a piece that is copied at once

    public SharedStateTests() => Assert.SkipUnless(LinuxCalls.AreKnown, "shared memory needs Linux");

    [Fact]
    public void What_is_read_is_what_was_left_and_has_the_hash_of_the_state()
    {
        using var left = SharedState.TryCreate(Length, vectors: 3)!;
        foreach (var (index, vector) in left.Vectors.Index())
        {
            for (var i = 0; i < Length; i++)
                vector.GetSpan()[i] = (index * Length) + i;
        }

        using var found = SharedState.TryOpen(left.Offer(), Length, vectors: 3, out var refusal)!;
        Assert.Empty(refusal);
        List<float[]> read = [new float[Length], new float[Length], new float[Length]];
        var hash = StateTransfer.Copy(found.Vectors, read, CancellationToken.None);

        Assert.Equal(left.Vectors.Select(vector => vector.Memory.ToArray()), read);
        Assert.Equal(StateHash.Of(read.Select(vector => (ReadOnlyMemory<float>)vector)), hash.ToByteArray());
    }

    [Fact]
    public void Memory_that_is_not_the_state_that_is_offered_is_refused()
    {
        using var left = SharedState.TryCreate(Length, vectors: 2)!;
        using var gradients = SharedRegion.TryCreate(new RegionLayout(Members: 2, Buckets: 1, Nodes: 1, Length), out _)!;
        var offer = left.Offer();

        Assert.Contains("is not its state", Refusal(offer with { Nonce = offer.Nonce + 1 }, vectors: 2), StringComparison.Ordinal);
        Assert.Contains("bytes instead of", Refusal(offer, vectors: 3), StringComparison.Ordinal);
        Assert.Contains(
            "not to be seen from here",
            Refusal(gradients.Offer() with { Bytes = offer.Bytes }, vectors: 2),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_state_can_be_read_after_who_left_it_has_gone()
    {
        var left = SharedState.TryCreate(Length, vectors: 1)!;
        left.Vectors[0].GetSpan().Fill(3);
        using var found = SharedState.TryOpen(left.Offer(), Length, vectors: 1, out _)!;
        left.Dispose();
        Assert.All(found.Vectors[0].GetSpan().ToArray(), value => Assert.Equal(3, value));
    }

    private static string Refusal(RegionOffer offer, int vectors)
    {
        Assert.Null(SharedState.TryOpen(offer, Length, vectors, out var refusal));
        return refusal;
    }
}
