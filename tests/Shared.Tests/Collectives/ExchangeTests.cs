using CsCheck;
using Distributed.Collectives;
using Distributed.Collectives.SharedMemory;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>Members of a view that exchange over streams in memory, against the tree over all microbatches done naively.</summary>
public sealed class ExchangeTests
{
    private const ulong Run = 42;

    private static readonly ViewGeneration Generation = new(1, 3);

    // Each step of a view may have another number of microbatches: the last batch of an epoch is short.
    private static readonly Gen<Case> Cases =
        from shares in Gen.Int[0, 3].Array[1, 8].Where(shares => shares.Sum() > 0)
        from microbatches in Gen.Int[1, 21].Array[1, 4]
        from length in Gen.Int[1, 200]
        from buckets in ReductionPlanTests.BucketsOver(length)
        from layers in Gen.Int[0, length].Array[0, 4]
        from seed in Gen.ULong
        from sharing in Gen.Int[0, shares.Length]
        select new Case(shares, microbatches, buckets, [.. layers.OrderDescending()], new Leaves(seed, length), sharing);

    [Fact]
    public Task Peers_end_every_step_with_the_bits_of_the_tree() =>
        Cases.SampleAsync(
            async @case =>
            {
                using var view = new PeerView(@case.Shares, @case.Buckets, @case.Leaves, @case.Sharing);
                await Task.WhenAll(
                    view.Members.Select(member =>
                        OnThread(() =>
                        {
                            for (var step = 1; step <= @case.Microbatches.Length; step++)
                            {
                                Assert.Equal(
                                    @case.Leaves.Sum(step, @case.Microbatches[step - 1]),
                                    member.Step(step, @case.Microbatches[step - 1], @case.Layers)
                                );
                            }

                            member.Exchange.Close();
                        })
                    )
                );
                await view.Ended;
            },
            iter: 100,
            threads: 1
        );

    [Fact]
    public Task An_owner_sums_to_the_bits_of_the_tree_and_every_worker_gets_its_weights() =>
        Cases.SampleAsync(
            async @case =>
            {
                var (microbatches, leaves) = (@case.Microbatches, @case.Leaves);
                using var view = new OwnerView(@case.Shares, leaves.Length);
                var owning = OnThread(() =>
                {
                    for (var step = 1; step <= microbatches.Length; step++)
                    {
                        view.Owner.Begin(step, microbatches[step - 1]);
                        var sum = view.Owner.Reduce(ExchangeMember.Deadline()).ToArray();
                        Assert.Equal(leaves.Sum(step, microbatches[step - 1]), sum);
                        view.Owner.Broadcast(Updated(sum));
                    }

                    view.Owner.Close();
                });
                var working = view.Members.Select(
                    (member, rank) =>
                        OnThread(() =>
                        {
                            for (var step = 1; step <= microbatches.Length; step++)
                            {
                                var weights = new float[leaves.Length];
                                leaves.Compute(step, member.Begin(step, microbatches[step - 1], weights), rank, view.Memories[rank]);
                                member.Complete(ExchangeMember.Deadline());
                                Assert.Equal(Updated(leaves.Sum(step, microbatches[step - 1])), weights);
                            }

                            member.Close();
                        })
                );
                await Task.WhenAll([owning, .. working]);
                await view.Ended;
            },
            iter: 100,
            threads: 1
        );

    [Theory]
    [InlineData(true, 0, "it closed the connection")]
    [InlineData(false, 0, "the connection was closed")]
    [InlineData(true, 3, "it closed the connection")]
    [InlineData(false, 3, "the connection was closed")]
    public async Task A_peer_that_ends_while_it_owes_values_is_named_with_step_and_phase(bool inOrder, int sharing, string cause)
    {
        using var view = new PeerView([1, 1, 1], [new(0, 100)], new Leaves(1, 100), sharing);
        if (inOrder)
            view.Members[2].Exchange.Close();
        else
            view.PipesOf(2).ToList().ForEach(pipe => pipe.Break(new IOException("reset")));

        var failures = await Task.WhenAll(
            view.Members.Take(2)
                .Select(member =>
                    OnThread(() =>
                        Assert.Throws<PeerFailureException>(() =>
                        {
                            member.Step(5, 7, []);
                        })
                    )
                )
        );
        Assert.All(failures, failure =>
            Assert.Equal(("worker 13", 5L, Phase.ReduceScatter, cause), (failure.Peer, failure.Step, failure.Phase, failure.Cause))
        );
    }

    [Fact]
    public async Task A_worker_whose_coordinator_ends_says_so()
    {
        var leaves = new Leaves(1, 100);
        using var view = new OwnerView([1], leaves.Length);
        leaves.Compute(2, view.Members[0].Begin(2, 3, new float[leaves.Length]), 0, view.Memories[0]);
        view.Owner.Close();

        var failure = await OnThread(() => Assert.Throws<PeerFailureException>(() => view.Members[0].Complete(ExchangeMember.Deadline())));
        Assert.Equal(("the coordinator", 2L), (failure.Peer, failure.Step));
    }

    // The second of two workers has the only microbatch and owns the only slice, so that it needs nothing to compute the sum.
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_step_completes_only_with_the_contribution_of_members_that_have_no_microbatch(int sharing)
    {
        using var view = new PeerView([1, 1], [new(0, SliceRange.Alignment)], new Leaves(1, SliceRange.Alignment), sharing);
        view.Members[0].Exchange.Close();

        var failure = await OnThread(() =>
            Assert.Throws<PeerFailureException>(() =>
            {
                view.Members[1].Step(4, 1, []);
            })
        );
        Assert.Equal(("worker 11", 4L), (failure.Peer, failure.Step));
    }

    // The second worker's backward pass has completed the first bucket and not the second: the first worker has all that it needs for it.
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_bucket_is_reduced_and_handed_over_while_the_backward_pass_goes_on(int sharing)
    {
        var leaves = new Leaves(3, 64);
        using var view = new PeerView([1, 1], [new(32, 64), new(0, 32)], leaves, sharing);
        var (ahead, behind) = (view.Members[0], view.Members[1]);
        ahead.Begin(1, 2);
        behind.Begin(1, 2);
        behind.Exchange.CompletedFrom(32);
        await ahead.PollAsync(offset: 32, until: 16);
        Assert.Equal(leaves.Sum(1, 2)[32..48], ahead.Gradient[32..48]);
        await behind.PollAsync(offset: 32, until: 32);
        Assert.Equal(leaves.Sum(1, 2)[32..], behind.Gradient[32..]);
        Assert.Equal(new float[32], behind.Gradient[..32]);

        await Task.WhenAll(
            OnThread(() => ahead.Exchange.Complete(ExchangeMember.Deadline())),
            OnThread(() => behind.Exchange.Complete(ExchangeMember.Deadline()))
        );
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
        using var view = new PeerView([.. Shares.Equal(workers)], [new(608, 1000), new(0, 608)], leaves, sharing: 0);
        await Task.WhenAll(
            view.Members.Select(member =>
                OnThread(() =>
                {
                    member.Step(1, microbatches, []);
                    member.Step(2, microbatches, []);
                    member.Exchange.Close();
                })
            )
        );
        await view.Ended;
        Assert.All(view.Members, (member, rank) => Assert.Equal(2 * member.Plan.BytesSentBy(rank), member.Exchange.BytesSent));
    }

    [Theory]
    [InlineData(Run, 1, 2)] // the view before
    [InlineData(Run, 0, 9)] // a coordinator before
    [InlineData(7UL, 1, 3)] // another run
    public async Task Frames_of_an_older_view_are_dropped(ulong run, uint epoch, uint number)
    {
        var member = Alone(length: 32);
        member.Begin(1, 2);
        using var stale = new Frame(new FrameHeader(run, new ViewGeneration(epoch, number), 1, FrameKind.Block, 1, 0), new float[16]);
        await member.Exchange.ReceiveAsync(1, stale, CancellationToken.None);
        // Had it been counted, the frame of the view would be one too many.
        await member.Exchange.ReceiveAsync(1, Block(step: 1), CancellationToken.None);
    }

    [Fact]
    public async Task A_frame_of_the_next_step_waits_until_the_step_begins_and_one_of_the_last_is_dropped()
    {
        var member = Alone(length: 32);
        member.Begin(1, 2);
        var early = member.Exchange.ReceiveAsync(1, Block(step: 2), CancellationToken.None);
        Assert.False(early.IsCompleted);
        member.Begin(2, 2);
        await early;
        await member.Exchange.ReceiveAsync(1, Block(step: 1), CancellationToken.None);
    }

    [Theory]
    [InlineData(FrameKind.Block, 0, 0, 16)] // a block of somebody else
    [InlineData(FrameKind.Block, 5, 0, 16)] // a block that there is not
    [InlineData(FrameKind.Block, 1, 8, 16)] // beyond the slice
    [InlineData(FrameKind.Block, 1, 1L << 40, 16)]
    [InlineData(FrameKind.Reduced, 1, 0, 16)] // the slice of somebody else
    [InlineData(FrameKind.Weights, 0, 0, 16)] // nobody here broadcasts
    [InlineData(FrameKind.Hello, 0, 0, 0)]
    public async Task A_frame_that_the_plan_does_not_expect_is_refused(FrameKind kind, int part, long offset, int count)
    {
        var member = Alone(length: 32);
        member.Begin(1, 2);
        using var frame = new Frame(new FrameHeader(Run, Generation, 1, kind, part, offset), new float[count]);
        await Assert.ThrowsAsync<InvalidDataException>(() => member.Exchange.ReceiveAsync(1, frame, CancellationToken.None).AsTask());
    }

    // Of another step or view, or where the plan has no place for it, a frame waits or is refused, and must not overwrite anything before.
    [Theory]
    [InlineData(1, 1, 3, FrameKind.Block, 1, 0, 16, true)]
    [InlineData(1, 1, 3, FrameKind.Reduced, 1, 16, 16, true)]
    [InlineData(2, 1, 3, FrameKind.Block, 1, 0, 16, false)]
    [InlineData(1, 1, 2, FrameKind.Block, 1, 0, 16, false)]
    [InlineData(1, 1, 3, FrameKind.Block, 0, 0, 16, false)] // this member's own block
    [InlineData(1, 1, 3, FrameKind.Block, 1, 8, 16, false)] // beyond the slice
    [InlineData(1, 1, 3, FrameKind.Reduced, 0, 0, 16, false)]
    [InlineData(1, 1, 3, FrameKind.Reduced, 2, 16, 16, false)] // nobody's
    [InlineData(1, 1, 3, FrameKind.Weights, 1, 0, 16, false)]
    public void Values_of_the_step_under_way_have_a_place_before_they_are_read(
        long step,
        uint epoch,
        uint number,
        FrameKind kind,
        int part,
        long offset,
        int count,
        bool hasPlace
    )
    {
        var member = Alone(length: 32);
        var header = new FrameHeader(Run, new ViewGeneration(epoch, number), step, kind, part, offset);
        Assert.True(member.Exchange.Destination(header, count).IsEmpty);
        member.Begin(1, 2);
        Assert.Equal(hasPlace ? count : 0, member.Exchange.Destination(header, count).Length);
        member.Exchange.Close();
        Assert.True(member.Exchange.Destination(header, count).IsEmpty);
    }

    [Fact]
    public async Task More_values_than_a_peer_owes_are_refused()
    {
        var member = Alone(length: 32);
        member.Begin(1, 2);
        await member.Exchange.ReceiveAsync(1, Block(step: 1), CancellationToken.None);
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            member.Exchange.ReceiveAsync(1, Block(step: 1), CancellationToken.None).AsTask()
        );
    }

    // The first of two workers with a microbatch each; it owns the first 16 elements.
    private static ExchangeMember Alone(int length) =>
        new(Identity(workers: 2, rank: 0), [1, 1], [new(0, length)], new Leaves(1, length), new PrivateMemory(length));

    private static Frame Block(long step) =>
        new(new FrameHeader(Run, Generation, step, FrameKind.Block, Part: 1, Offset: 0), new float[16]);

    private static ExchangeIdentity Identity(int workers, int rank) =>
        new(Run, Generation, rank, [.. Enumerable.Range(11, workers).Select(worker => $"worker {worker}")]);

    private static float[] Updated(float[] sum) => [.. sum.Select(value => value * 3)];

    // Members block while they wait, as they do in a worker; they must not use up the pool that carries the frames.
    private static Task OnThread(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Task<T> OnThread<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private sealed record Case(int[] Shares, int[] Microbatches, IReadOnlyList<Bucket> Buckets, int[] Layers, Leaves Leaves, int Sharing);

    /// <summary>
    /// A view whose members reach each other over pipes, and the first few of them through shared memory, as on one host.
    /// </summary>
    private sealed class PeerView : IDisposable
    {
        private const int MostMicrobatches = 21;

        private readonly List<(int Rank, int Peer, FramePipe Pipe)> _pipes = [];
        private readonly List<SharedMemoryPeers> _sharing;

        public PeerView(int[] shares, IReadOnlyList<Bucket> buckets, Leaves leaves, int sharing)
        {
            var identities = shares.Select((_, rank) => Identity(shares.Length, rank)).ToList();
            _sharing =
            [
                .. identities
                    .Take(sharing)
                    .Select(identity => new SharedMemoryPeers(
                        identity,
                        buckets.Count,
                        ReductionTree.MostBlocks(MostMicrobatches),
                        leaves.Length,
                        threads: 1
                    )),
            ];
            Members =
            [
                .. identities.Select(
                    (identity, rank) =>
                        new ExchangeMember(
                            identity,
                            shares,
                            buckets,
                            leaves,
                            _sharing.ElementAtOrDefault(rank)?.Memory ?? new PrivateMemory(leaves.Length)
                        )
                ),
            ];
            ShareMemory();
            for (var rank = 0; rank < shares.Length; rank++)
                _pipes.AddRange(Enumerable.Range(0, rank).Select(peer => (rank, peer, new FramePipe())));
            Ended = Task.WhenAll(
                _pipes
                    .SelectMany(between =>
                        new[]
                        {
                            between.Pipe.Run(Members[between.Rank].Exchange, between.Peer, isFar: false),
                            between.Pipe.Run(Members[between.Peer].Exchange, between.Rank, isFar: true),
                        }
                    )
                    .ToList()
            );
        }

        public IReadOnlyList<ExchangeMember> Members { get; }

        public Task Ended { get; }

        public IEnumerable<FramePipe> PipesOf(int rank) =>
            _pipes.Where(between => between.Rank == rank || between.Peer == rank).Select(between => between.Pipe);

        public void Dispose()
        {
            foreach (var member in Members)
                member.Exchange.Close();
            foreach (var memory in _sharing)
                memory.Dispose();
        }

        private void ShareMemory()
        {
            for (var rank = 0; rank < _sharing.Count; rank++)
            {
                for (var peer = 0; peer < rank; peer++)
                    _sharing[peer].Conclude(rank, _sharing[rank].Complete(peer, _sharing[peer].Answer(_sharing[rank].Offer())));
            }

            foreach (var (memory, member) in _sharing.Zip(Members))
                memory.Connect(member.Exchange);
            if (OperatingSystem.IsLinux())
                Assert.All(_sharing, memory => Assert.Equal(_sharing.Count - 1, memory.Count));
        }
    }

    private sealed class OwnerView : IDisposable
    {
        public OwnerView(int[] shares, int length)
        {
            var workers = shares.Length;
            Owner = new OwnerExchange(Identity(workers, workers), new ReductionPlans(shares, []), length);
            Memories = [.. shares.Select(_ => new PrivateMemory(length))];
            Members =
            [
                .. Memories.Select(
                    (memory, rank) => new CoordinatorExchange(Identity(workers, rank), new ReductionPlans(shares, []), memory)
                ),
            ];
            Ended = Task.WhenAll(
                Members
                    .SelectMany(
                        (member, rank) =>
                        {
                            var pipe = new FramePipe();
                            return new[] { pipe.Run(member, 0, isFar: false), pipe.Run(Owner, rank, isFar: true) };
                        }
                    )
                    .ToList()
            );
        }

        public OwnerExchange Owner { get; }

        public IReadOnlyList<CoordinatorExchange> Members { get; }

        public IReadOnlyList<PrivateMemory> Memories { get; }

        public Task Ended { get; }

        public void Dispose()
        {
            Owner.Close();
            foreach (var member in Members)
                member.Close();
        }
    }
}
