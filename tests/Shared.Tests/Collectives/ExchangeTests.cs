using CsCheck;
using Distributed.Collectives;
using Distributed.Collectives.Transports;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>Members of a view that exchange over real streams, against the tree over all microbatches done naively.</summary>
public sealed class ExchangeTests
{
    // Each step of a view may have another number of microbatches: the last batch of an epoch is short.
    private static readonly Gen<Case> Cases =
        from shares in Gen.Int[0, 3].Array[1, 6].Where(shares => shares.Sum() > 0)
        from microbatches in Gen.Int[1, 21].Array[1, 4]
        from length in Gen.Int[1, 200]
        from buckets in ReductionPlanTests.BucketsOver(length)
        from layers in Gen.Int[0, length].Array[0, 4]
        from seed in Gen.ULong
        from sharing in Gen.Int[0, shares.Length]
        from needsWhole in Gen.Bool
        select new Case(shares, microbatches, buckets, [.. layers.OrderDescending()], new Leaves(seed, length), sharing, needsWhole);

    [Theory]
    [InlineData(Way.Sockets, 60)]
    [InlineData(Way.Encrypted, 6)]
    public Task Workers_end_every_step_with_the_bits_of_the_tree_and_the_records_of_every_node(Way way, int iterations) =>
        Cases.SampleAsync(
            async @case =>
            {
                await using var group = await ExchangeGroup.ConnectAsync(@case.Shares, @case.Buckets, @case.Leaves, @case.Sharing, way);
                await Task.WhenAll(
                    group.Members.Select(member =>
                        OnThread(() =>
                        {
                            for (var step = 1; step <= @case.Microbatches.Length; step++)
                            {
                                var microbatches = @case.Microbatches[step - 1];
                                Assert.Equal(@case.Leaves.Sum(step, microbatches), member.Step(step, microbatches, @case.Layers));
                                member.Evaluate(step, microbatches + step);
                            }
                        })
                    )
                );
            },
            iter: iterations,
            threads: 1
        );

    [Theory]
    [InlineData(Way.Sockets, 60)]
    [InlineData(Way.Encrypted, 6)]
    public Task A_parameter_server_sums_to_the_bits_of_the_tree_and_every_worker_gets_its_weights(Way way, int iterations) =>
        Cases.SampleAsync(
            async @case =>
            {
                await using var group = await ExchangeGroup.ConnectAsync(
                    @case.Shares,
                    @case.Buckets,
                    @case.Leaves,
                    // all or none, since workers do not share memory with each other here
                    @case.Sharing > 1
                        ? @case.Shares.Length + 1
                        : 0,
                    way,
                    SliceOwners.ParameterServer,
                    @case.NeedsWhole
                );
                await Task.WhenAll(
                    group.Members.Select(
                        (member, rank) =>
                            OnThread(() =>
                            {
                                for (var step = 1; step <= @case.Microbatches.Length; step++)
                                {
                                    var microbatches = @case.Microbatches[step - 1];
                                    var sum = @case.Leaves.Sum(step, microbatches);
                                    var expected = rank < @case.Shares.Length ? [.. sum.Select(ExchangeMember.Updated)] : sum;
                                    Assert.Equal(expected, member.Step(step, microbatches, @case.Layers));
                                    member.Evaluate(step, microbatches + step);
                                }
                            })
                    )
                );
            },
            iter: iterations,
            threads: 1
        );

    [Theory]
    [InlineData(true, 0, "it closed the connection")]
    [InlineData(false, 0, "it closed the connection")]
    [InlineData(true, 3, "it closed the connection")]
    [InlineData(false, 3, "it closed the connection")]
    public async Task A_peer_that_ends_while_it_owes_values_is_named_with_step_and_phase(bool inOrder, int sharing, string cause)
    {
        await using var group = await ExchangeGroup.ConnectAsync([1, 1, 1], [new(0, 100)], new Leaves(1, 100), sharing);
        await group.EndAsync(rank: 2, inOrder);

        var failures = await Task.WhenAll(
            group.Members.Take(2).Select(member => OnThread(() => Assert.Throws<PeerFailureException>(() => (object)member.Step(5, 7, []))))
        );
        Assert.All(failures, failure =>
            Assert.Equal(("worker 13", 5L, Phase.ReduceScatter, cause), (failure.Peer, failure.Step, failure.Phase, failure.Cause))
        );
    }

    // The second of two workers has the only microbatch and owns the only slice, so that it needs nothing to compute the sum.
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_step_completes_only_with_the_contribution_of_members_that_have_no_microbatch(int sharing)
    {
        var leaves = new Leaves(1, SliceRange.Alignment);
        await using var group = await ExchangeGroup.ConnectAsync([1, 1], [new(0, SliceRange.Alignment)], leaves, sharing);
        await group.EndAsync(rank: 0, inOrder: true);

        var failure = await OnThread(() => Assert.Throws<PeerFailureException>(() => (object)group.Members[1].Step(4, 1, [])));
        Assert.Equal(("worker 11", 4L), (failure.Peer, failure.Step));
    }

    // The second worker's backward pass has completed the first bucket and not the second: the first worker has all that it needs for it.
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_bucket_is_reduced_and_handed_over_while_the_backward_pass_goes_on(int sharing)
    {
        var leaves = new Leaves(3, 64);
        await using var group = await ExchangeGroup.ConnectAsync([1, 1], [new(32, 64), new(0, 32)], leaves, sharing);
        var (ahead, behind) = (group.Members[0], group.Members[1]);
        ahead.Begin(1, 2);
        behind.Begin(1, 2);
        behind.Exchange.CompletedFrom(32);
        await ahead.PollAsync(offset: 32, until: 16);
        Assert.Equal(leaves.Sum(1, 2)[32..48], ahead.Gradient[32..48]);
        await behind.PollAsync(offset: 32, until: 32);
        Assert.Equal(leaves.Sum(1, 2)[32..], behind.Gradient[32..]);
        Assert.Equal(new float[32], behind.Gradient[..32]);

        await Task.WhenAll(OnThread(ahead.Complete), OnThread(behind.Complete));
        Assert.Equal(leaves.Sum(1, 2), ahead.Gradient);
        Assert.Equal(leaves.Sum(1, 2), behind.Gradient);
    }

    [Theory]
    [InlineData(2, 8)]
    [InlineData(2, 16)]
    [InlineData(3, 8)]
    [InlineData(3, 16)]
    [InlineData(4, 8)]
    [InlineData(4, 16)]
    public async Task Members_send_exactly_the_bytes_that_the_plan_predicts(int workers, int microbatches)
    {
        var leaves = new Leaves(7, 1000);
        await using var group = await ExchangeGroup.ConnectAsync(
            [.. Shares.Equal(workers)],
            [new(608, 1000), new(0, 608)],
            leaves,
            sharing: 0
        );
        await Task.WhenAll(
            group.Members.Select(member =>
                OnThread(() =>
                {
                    member.Step(1, microbatches, []);
                    member.Step(2, microbatches, []);
                })
            )
        );
        Assert.All(group.Members, (member, rank) => Assert.Equal(2 * member.Plan.BytesSentBy(rank), group.BytesSentBy(rank)));
    }

    [Fact]
    public void A_frame_of_the_next_exchange_waits_until_it_begins_and_one_of_the_last_is_refused()
    {
        var frames = Frames(out var member);
        Assert.False(frames.TryPlace(1, Node(step: 1), out _));
        member.Begin(1, 2);
        Assert.True(frames.TryPlace(1, Node(step: 1), out _));
        Assert.False(frames.TryPlace(1, Node(step: 2), out _));
        var begun = frames.BegunAsync(position: 4, CancellationToken.None);
        Assert.False(begun.IsCompleted);
        member.Begin(2, 2);
        Assert.True(frames.TryPlace(1, Node(step: 2), out _));
        Assert.Throws<InvalidDataException>(() => frames.TryPlace(1, Node(step: 1), out _));
    }

    [Theory]
    [InlineData(FrameKind.Node, 0, 0, 16)] // this member's own node
    [InlineData(FrameKind.Node, 5, 0, 16)] // there is no such node
    [InlineData(FrameKind.Node, 1, 8, 16)] // beyond the slice
    [InlineData(FrameKind.Node, 1, int.MaxValue, 16)]
    [InlineData(FrameKind.Node, 0, 0, 0)] // the peer has a microbatch
    [InlineData(FrameKind.Slice, 0, 0, 16)] // this member's own slice
    [InlineData(FrameKind.Record, 0, 0, NodeRecord.Length + 1)]
    [InlineData(FrameKind.State, 0, 0, 16)]
    internal void A_frame_that_the_plan_does_not_expect_is_refused(FrameKind kind, int part, int offset, int count)
    {
        var frames = Frames(out var member);
        member.Begin(1, 2);
        Assert.Throws<InvalidDataException>(() => frames.TryPlace(1, new LinkFrame(kind, part, Positions.After(1), offset, count), out _));
    }

    [Theory]
    [InlineData(FrameKind.Node, 1, 0, 16)]
    [InlineData(FrameKind.Slice, 0, 16, 16)]
    [InlineData(FrameKind.Record, 0, 0, NodeRecord.Length)]
    internal void Values_have_a_place_before_they_are_read(FrameKind kind, int part, int offset, int count)
    {
        var frames = Frames(out var member);
        member.Begin(1, 2);
        Assert.True(frames.TryPlace(1, new LinkFrame(kind, part, Positions.After(1), offset, count), out var destination));
        Assert.Equal(count, destination.Length);
    }

    [Fact]
    public void More_values_than_a_peer_owes_are_refused()
    {
        var frames = Frames(out var member);
        member.Begin(1, 2);
        frames.Arrived(1, Node(step: 1));
        Assert.Throws<InvalidDataException>(() => frames.Arrived(1, Node(step: 1)));
    }

    // The first of two workers with a microbatch each; it owns the first 16 of 32 elements.
    private static LinkTransport Frames(out ExchangeMember member)
    {
        member = new ExchangeMember(
            ExchangeGroup.Identity(members: 2, rank: 0),
            [1, 1],
            [new(0, 32)],
            new Leaves(1, 32),
            new PrivateMemory(32)
        );
        var frames = new LinkTransport(rank: 0, members: 2, peers: [1], member.Memory);
        member.Exchange.Use(frames, [1]);
        return frames;
    }

    private static LinkFrame Node(long step) => new(FrameKind.Node, Part: 1, Position: Positions.After(step), Offset: 0, Count: 16);

    // Members block while they wait, as they do in a worker; they must not use up the pool.
    private static Task OnThread(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Task<T> OnThread<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private sealed record Case(
        int[] Shares,
        int[] Microbatches,
        IReadOnlyList<Bucket> Buckets,
        int[] Layers,
        Leaves Leaves,
        int Sharing,
        bool NeedsWhole
    );
}
