using CsCheck;
using Distributed.Collectives;
using Distributed.Protocol;
using Distributed.Shared.Tests.Kernels;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>Members that read each other's memory where it lies: what one overwrites too early, another reads wrong.</summary>
public sealed class InPlaceExchangeTests
{
    private static readonly Gen<(int[] Shares, IReadOnlyList<Bucket> Buckets, Leaves Leaves)> Cases =
        from shares in Gen.Int[0, 3].Array[2, 5].Where(shares => shares.Sum() > 0)
        from length in Gen.Int[1, 200]
        from buckets in ReductionPlanTests.BucketsOver(length)
        from seed in Gen.ULong
        select (shares, buckets, new Leaves(seed, length));

    [Fact]
    public Task Every_member_ends_every_step_with_the_bits_of_the_tree() =>
        Cases.SampleAsync(
            @case =>
                Task.WhenAll(
                    View(@case.Shares, @case.Buckets, @case.Leaves)
                        .Select(member =>
                            Task.Factory.StartNew(
                                () =>
                                {
                                    for (var step = 1; step <= 20; step++)
                                    {
                                        Assert.Equal(
                                            @case.Leaves.Sum(step, 1 + (step % 9)),
                                            member.Step(step, 1 + (step % 9), [@case.Leaves.Length / 2])
                                        );
                                    }
                                },
                                CancellationToken.None,
                                TaskCreationOptions.LongRunning,
                                TaskScheduler.Default
                            )
                        )
                ),
            iter: 20,
            threads: 1
        );

    // The first is done with a step and as far as it comes with the next one, before the second has read the first one's slice.
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 0)] // the second has no nodes, and its empty contribution counts
    public void A_reduced_slice_stays_until_every_member_has_begun_the_next_step(int first, int second)
    {
        var leaves = new Leaves(5, 64);
        var view = View([first, second], [new(32, 64), new(0, 32)], leaves);
        view[0].Begin(1, 2);
        view[0].Exchange.CompletedFrom(0);
        view[1].Begin(1, 2);
        view[1].Exchange.CompletedFrom(0);
        view[1].Exchange.PublishRecord();
        view[0].Complete();
        Assert.Equal(leaves.Sum(1, 2), view[0].Gradient);

        view[0].Begin(2, 2);
        view[0].Exchange.CompletedFrom(0);
        view[1].Exchange.Complete();
        Assert.Equal(leaves.Sum(1, 2), view[1].Gradient);
    }

    [Fact]
    public void A_warmed_step_allocates_nothing()
    {
        var view = View([2, 3], [new(48, 100), new(0, 48)], new Leaves(5, 100));
        var step = 0;
        AllocationAssert.NothingOnceWarm(() =>
        {
            step++;
            foreach (var member in view)
                member.Restart(step, microbatches: 5);
            foreach (var member in view)
                member.Exchange.CompletedFrom(0);
            foreach (var member in view)
                member.Exchange.PublishRecord();
            foreach (var member in view)
                member.Exchange.Complete();
        });
    }

    private static ExchangeMember[] View(int[] shares, IReadOnlyList<Bucket> buckets, Leaves leaves)
    {
        var names = shares.Select((_, rank) => $"worker {rank}").ToList();
        var memories = shares.Select(_ => new PrivateMemory(leaves.Length)).ToList();
        var transports = InPlaceTransport.Connect(new ReductionPlan(1, shares, buckets), memories);
        return
        [
            .. shares.Select(
                (_, rank) =>
                {
                    var member = new ExchangeMember(
                        new ViewIdentity(1, new ViewGeneration(1, 1), rank, names),
                        shares,
                        buckets,
                        leaves,
                        memories[rank]
                    );
                    member.Exchange.Use(transports[rank], Enumerable.Range(0, shares.Length).Where(peer => peer != rank));
                    return member;
                }
            ),
        ];
    }
}
