using CsCheck;
using Distributed.Collectives;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

/// <summary>Members of a view that exchange over streams in memory, against the tree over all microbatches done naively.</summary>
public sealed class ExchangeTests
{
    private const ulong Run = 42;

    private static readonly ViewGeneration Generation = new(1, 3);

    // Each step of a view may have another number of microbatches: the last batch of an epoch is short.
    private static readonly Gen<(int Workers, int[] Microbatches, Leaves Leaves)> Cases =
        from workers in Gen.Int[1, 8]
        from microbatches in Gen.Int[1, 21].Array[1, 4]
        from length in Gen.Int[1, 200]
        from seed in Gen.ULong
        select (workers, microbatches, new Leaves(seed, length));

    [Fact]
    public Task Peers_end_every_step_with_the_bits_of_the_tree() => Cases.SampleAsync(async @case =>
    {
        var (workers, microbatches, leaves) = @case;
        using var view = new PeerView(workers, leaves.Length);
        await Task.WhenAll(view.Members.Select((member, rank) => OnThread(() =>
        {
            for (var step = 1; step <= microbatches.Length; step++)
            {
                var plan = member.Begin(step, microbatches[step - 1]);
                Assert.Equal(leaves.Sum(step, microbatches[step - 1]), member.Reduce(leaves.Blocks(step, plan, rank), Deadline()));
            }

            member.Close();
        })));
        await view.Ended;
    }, iter: 100, threads: 1);

    [Fact]
    public Task An_owner_sums_to_the_bits_of_the_tree_and_every_worker_gets_its_weights() => Cases.SampleAsync(async @case =>
    {
        var (workers, microbatches, leaves) = @case;
        using var view = new OwnerView(workers, leaves.Length);
        var owning = OnThread(() =>
        {
            for (var step = 1; step <= microbatches.Length; step++)
            {
                view.Owner.Begin(step, microbatches[step - 1]);
                var sum = view.Owner.Reduce(Deadline()).ToArray();
                Assert.Equal(leaves.Sum(step, microbatches[step - 1]), sum);
                view.Owner.Broadcast(Updated(sum));
            }

            view.Owner.Close();
        });
        var working = view.Members.Select((member, rank) => OnThread(() =>
        {
            for (var step = 1; step <= microbatches.Length; step++)
            {
                var weights = new float[leaves.Length];
                var plan = member.Begin(step, microbatches[step - 1], weights);
                member.Complete(leaves.Blocks(step, plan, rank), Deadline());
                Assert.Equal(Updated(leaves.Sum(step, microbatches[step - 1])), weights);
            }

            member.Close();
        }));
        await Task.WhenAll([owning, .. working]);
        await view.Ended;
    }, iter: 100, threads: 1);

    [Theory]
    [InlineData(true, "it closed the connection")]
    [InlineData(false, "the connection was closed")]
    public async Task A_peer_that_ends_while_it_owes_values_is_named_with_step_and_phase(bool inOrder, string cause)
    {
        var leaves = new Leaves(1, 100);
        using var view = new PeerView(3, leaves.Length);
        if (inOrder)
            view.Members[2].Close();
        else
            view.PipesOf(2).ToList().ForEach(pipe => pipe.Break(new IOException("reset")));

        var failures = await Task.WhenAll(new[] { 0, 1 }.Select(rank => OnThread(() =>
        {
            var plan = view.Members[rank].Begin(5, 7);
            return Assert.Throws<PeerFailureException>(() => { view.Members[rank].Reduce(leaves.Blocks(5, plan, rank), Deadline()); });
        })));
        Assert.All(failures, failure => Assert.Equal(("worker 13", 5L, Phase.ReduceScatter, cause), (failure.Peer, failure.Step, failure.Phase, failure.Cause)));
    }

    [Fact]
    public async Task A_worker_whose_coordinator_ends_says_so()
    {
        var leaves = new Leaves(1, 100);
        using var view = new OwnerView(1, leaves.Length);
        var plan = view.Members[0].Begin(2, 3, new float[leaves.Length]);
        view.Owner.Close();

        var failure = await OnThread(() => Assert.Throws<PeerFailureException>(() => view.Members[0].Complete(leaves.Blocks(2, plan, 0), Deadline())));
        Assert.Equal(("the coordinator", 2L), (failure.Peer, failure.Step));
    }

    // The second of two workers has the only microbatch and owns the only slice, so that it needs nothing to compute the sum.
    [Fact]
    public async Task A_step_completes_only_with_the_contribution_of_members_that_have_no_microbatch()
    {
        var leaves = new Leaves(1, Partition.SliceAlignment);
        using var view = new PeerView(2, leaves.Length);
        view.Members[0].Close();

        var plan = view.Members[1].Begin(4, 1);
        var failure = await OnThread(() => Assert.Throws<PeerFailureException>(() => { view.Members[1].Reduce(leaves.Blocks(4, plan, 1), Deadline()); }));
        Assert.Equal(("worker 11", 4L), (failure.Peer, failure.Step));
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
        await member.ReceiveAsync(1, stale, CancellationToken.None);
        // Had it been counted, the frame of the view would be one too many.
        await member.ReceiveAsync(1, Block(step: 1), CancellationToken.None);
    }

    [Fact]
    public async Task A_frame_of_the_next_step_waits_until_the_step_begins_and_one_of_the_last_is_dropped()
    {
        var member = Alone(length: 32);
        member.Begin(1, 2);
        var early = member.ReceiveAsync(1, Block(step: 2), CancellationToken.None);
        Assert.False(early.IsCompleted);
        member.Begin(2, 2);
        await early;
        await member.ReceiveAsync(1, Block(step: 1), CancellationToken.None);
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
        await Assert.ThrowsAsync<InvalidDataException>(() => member.ReceiveAsync(1, frame, CancellationToken.None).AsTask());
    }

    [Fact]
    public async Task More_values_than_a_peer_owes_are_refused()
    {
        var member = Alone(length: 32);
        member.Begin(1, 2);
        await member.ReceiveAsync(1, Block(step: 1), CancellationToken.None);
        await Assert.ThrowsAsync<InvalidDataException>(() => member.ReceiveAsync(1, Block(step: 1), CancellationToken.None).AsTask());
    }

    // The first of two workers with a microbatch each; it owns the first 16 elements.
    private static PeerReduction Alone(int length) => new(Identity(workers: 2, rank: 0), length);

    private static Frame Block(long step) => new(new FrameHeader(Run, Generation, step, FrameKind.Block, Part: 1, Offset: 0), new float[16]);

    private static ExchangeIdentity Identity(int workers, int rank) => new(Run, Generation, rank, [.. Enumerable.Range(11, workers).Select(worker => $"worker {worker}")]);

    private static float[] Updated(float[] sum) => [.. sum.Select(value => value * 3)];

    // Members block while they wait, as they do in a worker; they must not use up the pool that carries the frames.
    private static Task OnThread(Action work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Task<T> OnThread<T>(Func<T> work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    // A defect must not hang the tests.
    private static CancellationToken Deadline() => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    private sealed class PeerView : IDisposable
    {
        private readonly List<(int Rank, int Peer, FramePipe Pipe)> _pipes = [];

        public PeerView(int workers, int length)
        {
            Members = [.. Enumerable.Range(0, workers).Select(rank => new PeerReduction(Identity(workers, rank), length))];
            for (var rank = 0; rank < workers; rank++)
                _pipes.AddRange(Enumerable.Range(0, rank).Select(peer => (rank, peer, new FramePipe())));
            Ended = Task.WhenAll(_pipes.SelectMany(between => new[]
            {
                between.Pipe.Run(Members[between.Rank], between.Peer, isFar: false),
                between.Pipe.Run(Members[between.Peer], between.Rank, isFar: true),
            }).ToList());
        }

        public IReadOnlyList<PeerReduction> Members { get; }

        public Task Ended { get; }

        public IEnumerable<FramePipe> PipesOf(int rank) => _pipes.Where(between => between.Rank == rank || between.Peer == rank).Select(between => between.Pipe);

        public void Dispose()
        {
            foreach (var member in Members)
                member.Close();
        }
    }

    private sealed class OwnerView : IDisposable
    {
        public OwnerView(int workers, int length)
        {
            Owner = new OwnerExchange(Identity(workers, workers), length);
            Members = [.. Enumerable.Range(0, workers).Select(rank => new CoordinatorExchange(Identity(workers, rank), length))];
            Ended = Task.WhenAll(Members.SelectMany((member, rank) =>
            {
                var pipe = new FramePipe();
                return new[] { pipe.Run(member, 0, isFar: false), pipe.Run(Owner, rank, isFar: true) };
            }).ToList());
        }

        public OwnerExchange Owner { get; }

        public IReadOnlyList<CoordinatorExchange> Members { get; }

        public Task Ended { get; }

        public void Dispose()
        {
            Owner.Close();
            foreach (var member in Members)
                member.Close();
        }
    }
}
