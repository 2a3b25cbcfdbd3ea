using Distributed.Kernels;
using Distributed.Kernels.Threads;
using Xunit;

namespace Distributed.Shared.Tests.Kernels;

public sealed unsafe class ComputeTeamTests
{
    private const int FailingChunk = 1;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_chunk_runs_once_in_every_run(int threads)
    {
        using var team = new ComputeTeam(threads);
        var counts = stackalloc int[threads];
        for (var run = 1; run <= 1000; run++)
        {
            team.Run(new Count(counts));
            for (var chunk = 0; chunk < threads; chunk++)
                Assert.Equal(run, counts[chunk]);
        }
    }

    [Fact]
    public void Helpers_that_block_are_woken_and_the_caller_blocks_for_slow_helpers()
    {
        using var team = new ComputeTeam(3);
        var counts = stackalloc int[3];
        for (var run = 1; run <= 5; run++)
        {
            Assert.True(SpinWait.SpinUntil(() => team.Sleepers == 2, TimeSpan.FromSeconds(30)));
            team.Run(new Count(counts));
            Assert.Equal(run, counts[2]);
            team.Run(default(AwaitBlockedCaller));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(FailingChunk)]
    public void A_chunk_that_fails_is_seen_by_the_caller_and_the_team_goes_on(int failing)
    {
        using var team = new ComputeTeam(2);
        var counts = stackalloc int[2];
        var error = Assert.Throws<InvalidOperationException>(() => team.Run(new Fail(failing)));
        Assert.Equal($"chunk {failing}", error.Message);
        team.Run(new Count(counts));
        Assert.Equal([1, 1], new ReadOnlySpan<int>(counts, 2).ToArray());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void What_a_chunk_runs_is_carried_out_by_its_thread_alone_with_memory_of_its_own(int threads)
    {
        using var team = new ComputeTeam(threads);
        var outer = new Nested(team, new int[threads], new nint[threads]);
        team.RunObject(outer);
        Assert.Equal(Enumerable.Repeat(1, threads), outer.Counts);
        Assert.Equal(threads, outer.Scratch.Distinct().Count());
        Assert.DoesNotContain((nint)team.Scratch(1), threads == 1 ? [] : outer.Scratch);
        var counts = stackalloc int[threads];
        team.Run(new Count(counts));
        AssertAll(1, counts, threads);
    }

    [Fact]
    public void What_a_chunk_runs_fails_with_the_chunk()
    {
        using var team = new ComputeTeam(2);
        var error = Assert.Throws<InvalidOperationException>(() => team.RunObject(new Nested(team, new int[1], new nint[2])));
        Assert.Equal("chunk 0", error.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Deferred_work_is_carried_out_once_during_the_next_run_or_at_the_end(int threads)
    {
        using var team = new ComputeTeam(threads);
        var counts = stackalloc int[threads];
        var deferred = stackalloc int[threads];
        for (var round = 0; round < 100; round++)
        {
            team.BeginDeferring();
            team.Defer(new Count(deferred));
            team.Defer(new Count(deferred));
            Assert.Equal(threads == 1 ? 2 : 0, deferred[0]);
            team.Run(new Count(counts));
            AssertAll(2, deferred, threads);
            team.Run(new Count(counts));
            team.Defer(new Count(deferred));
            team.EndDeferring();
            AssertAll(3, deferred, threads);
            team.EndDeferring();
            team.Defer(new Count(deferred));
            AssertAll(4, deferred, threads);
            AssertAll(2, counts, threads);
            new Span<int>(counts, threads).Clear();
            new Span<int>(deferred, threads).Clear();
        }
    }

    [Fact]
    public void Half_of_the_threads_begin_with_deferred_work()
    {
        using var team = new ComputeTeam(3);
        var counts = stackalloc int[3];
        var wasFirst = stackalloc bool[3];
        team.BeginDeferring();
        team.Defer(new Count(counts));
        team.Run(new Look(counts, wasFirst));
        Assert.Equal([true, false, true], new ReadOnlySpan<bool>(wasFirst, 3).ToArray());
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(2, FailingChunk)]
    [InlineData(3, FailingChunk)]
    public void Deferred_work_is_carried_out_once_during_a_run_that_fails(int threads, int failing)
    {
        using var team = new ComputeTeam(threads);
        var deferred = stackalloc int[threads];
        team.BeginDeferring();
        team.Defer(new Count(deferred));
        Assert.Throws<InvalidOperationException>(() => team.Run(new Fail(failing)));
        team.EndDeferring();
        AssertAll(1, deferred, threads);
    }

    [Fact]
    public void A_deferred_chunk_that_fails_is_seen_by_the_caller_and_what_follows_it_is_carried_out()
    {
        using var team = new ComputeTeam(2);
        var counts = stackalloc int[2];
        var deferred = stackalloc int[2];
        team.BeginDeferring();
        team.Defer(new Fail(FailingChunk));
        team.Defer(new Count(deferred));
        Assert.Throws<InvalidOperationException>(() => team.Run(new Count(counts)));
        team.EndDeferring();
        AssertAll(1, counts, 2);
        AssertAll(1, deferred, 2);
    }

    [Fact]
    public void More_work_items_can_be_deferred_than_wait_at_once_and_items_of_any_size()
    {
        const int items = (2 * DeferredWork.Capacity) + 1;
        using var team = new ComputeTeam(2);
        var deferred = stackalloc int[2];
        team.BeginDeferring();
        for (var i = 0; i < items; i++)
            team.Defer(new Count(deferred));
        team.Defer(new Large(new Count(deferred)));
        team.EndDeferring();
        AssertAll(items + 1, deferred, 2);
    }

    [Fact]
    public void Runs_allocate_nothing()
    {
        using var team = new ComputeTeam(2);
        var counts = stackalloc int[2];
        AllocationAssert.NothingOnceWarm(() => team.Run(new Count(counts)));
        AllocationAssert.NothingOnceWarm(() =>
        {
            team.BeginDeferring();
            team.Defer(new Count(counts));
            team.EndDeferring();
        });
    }

    [Fact]
    public void A_team_that_ended_refuses_work_and_ends_twice_without_harm()
    {
        var team = new ComputeTeam(3);
        team.Dispose();
        team.Dispose();
        Assert.Throws<ObjectDisposedException>(() => team.Run(new Fail(0)));
    }

    [Fact]
    public void A_team_has_at_least_one_thread() => Assert.Throws<ArgumentOutOfRangeException>("threads", () => new ComputeTeam(0));

    [Fact]
    public void Buffers_are_zeroed_aligned_and_as_long_as_asked()
    {
        for (var length = 0; length < 100; length++)
        {
            var buffer = new AlignedBuffer(length);
            Assert.Equal(length, buffer.Span.Length);
            Assert.Equal(0u, (nuint)buffer.Pointer % AlignedBuffer.Alignment);
            Assert.Equal(-1, buffer.Span.IndexOfAnyExcept(0));
            Assert.Equal(length, buffer.Memory.Length);
        }

        Assert.Throws<ArgumentOutOfRangeException>("length", () => new AlignedBuffer(-1));
        Assert.Throws<ArgumentOutOfRangeException>("length", () => new AlignedBuffer(int.MaxValue));
    }

    private static void AssertAll(int expected, int* counts, int threads) =>
        Assert.All(new ReadOnlySpan<int>(counts, threads).ToArray(), count => Assert.Equal(expected, count));

    private readonly struct Count(int* counts) : IChunkedWork
    {
        public void Execute(int chunk, int chunks) => Interlocked.Increment(ref counts[chunk]);
    }

    /// <summary>A count that is too large for the queue of deferred work items.</summary>
    private struct Large(Count count) : IChunkedWork
    {
        public fixed byte Rest[1000];

        public readonly void Execute(int chunk, int chunks) => count.Execute(chunk, chunks);
    }

    /// <summary>Notes which chunks have been counted before.</summary>
    private readonly struct Look(int* counts, bool* counted) : IChunkedWork
    {
        public void Execute(int chunk, int chunks) => counted[chunk] = Volatile.Read(ref counts[chunk]) > 0;
    }

    /// <summary>The helpers' chunks end only when the caller blocks.</summary>
    private readonly struct AwaitBlockedCaller : IChunkedWork
    {
        private static Thread? _caller;

        public void Execute(int chunk, int chunks)
        {
            if (chunk == 0)
            {
                Volatile.Write(ref _caller, Thread.CurrentThread);
            }
            else
            {
                Assert.True(
                    SpinWait.SpinUntil(
                        () => Volatile.Read(ref _caller)?.ThreadState.HasFlag(ThreadState.WaitSleepJoin) == true,
                        TimeSpan.FromSeconds(30)
                    )
                );
            }
        }
    }

    /// <summary>Runs work of its own in each chunk; fails where there is no count for it.</summary>
    private sealed class Nested(ComputeTeam team, int[] counts, nint[] scratch) : IChunkedWork
    {
        public int[] Counts => counts;

        public nint[] Scratch => scratch;

        public void Execute(int chunk, int chunks)
        {
            scratch[chunk] = (nint)team.Scratch(16);
            fixed (int* count = counts)
            {
                if (chunk < counts.Length)
                    team.Run(new Count(count + chunk));
                else
                    team.Run(new Fail(0));
            }
        }
    }

    private readonly struct Fail(int failing) : IChunkedWork
    {
        public void Execute(int chunk, int chunks)
        {
            if (chunk == failing)
                throw new InvalidOperationException($"chunk {chunk}");
        }
    }
}
