using Distributed.Collectives;
using Distributed.Collectives.Transports.SharedMemory;
using Distributed.Protocol;
using Distributed.Shared.Tests.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Collectives.SharedMemory;

/// <summary>What the exchange over shared memory adds to the bits, which <see cref="ExchangeTests"/> hold it to.</summary>
public sealed class SharedTransportTests : IDisposable
{
    private static readonly IReadOnlyList<Bucket> Buckets = [new(48, 100), new(0, 48)];

    private readonly SharedMemoryPeers[] _memories = [Memory(0), Memory(1)];

    public SharedTransportTests() => Assert.SkipUnless(LinuxCalls.AreKnown, "shared memory needs Linux");

    public void Dispose()
    {
        foreach (var memory in _memories)
            memory.Dispose();
    }

    [Fact]
    public void A_warmed_step_allocates_nothing()
    {
        Assert.True(_memories[0].Conclude(1, _memories[1].Complete(0, _memories[0].Answer(1, _memories[1].Offer()))));
        var members = _memories.Select((memory, rank) => Member(rank, memory)).ToList();
        var step = 0;
        AllocationAssert.NothingOnceWarm(() =>
        {
            step++;
            foreach (var member in members)
                member.Restart(step, microbatches: 5);
            foreach (var member in members)
                member.Exchange.CompletedFrom(0);
            foreach (var member in members)
                member.Exchange.PublishRecord();
            foreach (var member in members)
                member.Exchange.Complete();
        });
    }

    [Fact]
    public void A_pair_shares_memory_only_if_both_say_so()
    {
        Assert.False(_memories[0].Conclude(1, isShared: true)); // it has offered nothing
        var answer = _memories[0].Answer(1, _memories[1].Offer());
        answer.NonceLow++;
        Assert.False(_memories[1].Complete(0, answer));
        Assert.False(_memories[0].Conclude(1, isShared: false));

        Assert.Equal((0, 0), (_memories[0].Count, _memories[1].Count));
        Assert.Equal("worker 1: what is found under the peer's process number is not its region", _memories[1].Refusal);
        Assert.StartsWith("worker 2: ", _memories[0].Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_peer_says_a_second_time_takes_no_memory_away_that_is_in_use()
    {
        var offer = _memories[1].Offer();
        Assert.True(_memories[0].Conclude(1, _memories[1].Complete(0, _memories[0].Answer(1, offer))));
        var members = _memories.Select((memory, rank) => Member(rank, memory)).ToList();

        Assert.Equal("it has offered its memory before", _memories[0].Answer(1, offer).Refusal);
        Assert.Equal(
            "it has offered its memory before",
            _memories[0].Answer(1, new MemoryOffer { Refusal = "it has changed its mind" }).Refusal
        );
        Assert.True(_memories[0].Conclude(1, isShared: false));
        Assert.Equal((1, ""), (_memories[0].Count, _memories[0].Refusal));
        foreach (var member in members)
            member.Restart(1, microbatches: 5);
    }

    [Fact]
    public void A_peer_without_memory_says_why()
    {
        var answer = _memories[0].Answer(1, new MemoryOffer { Refusal = "it needs Linux" });
        Assert.Equal("it needs Linux", answer.Refusal);
        Assert.Equal("worker 2: it needs Linux", _memories[0].Refusal);
    }

    [Fact]
    public void Nothing_is_mapped_and_nothing_touched_any_more_once_the_view_is_over()
    {
        Assert.True(_memories[0].Conclude(1, _memories[1].Complete(0, _memories[0].Answer(1, _memories[1].Offer()))));
        var member = Member(0, _memories[0]);
        member.Restart(1, microbatches: 2);
        var offer = _memories[1].Offer();
        _memories[0].Dispose();

        member.Exchange.LinkEnded(1, new IOException("the peer's link ends late"));
        Assert.Equal("the view is over", _memories[0].Answer(1, offer).Refusal);
    }

    private static SharedMemoryPeers Memory(int rank) =>
        new(Identity(rank), Buckets.Count, ReductionTree.MaximumNodes(5), length: 100, threads: 1);

    private static ViewIdentity Identity(int rank) => new(1, new ViewGeneration(1, 1), rank, ["worker 1", "worker 2"]);

    private static ExchangeMember Member(int rank, SharedMemoryPeers memory)
    {
        var member = new ExchangeMember(Identity(rank), [2, 3], Buckets, new Leaves(5, 100), memory.Memory!);
        memory.Connect(member.Exchange);
        return member;
    }
}
