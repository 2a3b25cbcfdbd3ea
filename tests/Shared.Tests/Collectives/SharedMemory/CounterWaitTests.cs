using Distributed.Collectives.Transports;
using Distributed.Collectives.Transports.SharedMemory;
using Xunit;

namespace Distributed.Shared.Tests.Collectives.SharedMemory;

/// <summary>Waiting for counters of another member, each member with its own mappings as in a process of its own.</summary>
public sealed class CounterWaitTests : IDisposable
{
    private static readonly RegionLayout Layout = new(Members: 2, Buckets: 1, Nodes: 1, Length: 16);

    private readonly SharedRegion[] _own = new SharedRegion[2];
    private readonly SharedRegion[] _seen = new SharedRegion[2];

    public CounterWaitTests()
    {
        Assert.SkipUnless(LinuxCalls.AreKnown, "shared memory needs Linux");
        for (var rank = 0; rank < 2; rank++)
        {
            _own[rank] = SharedRegion.TryCreate(Layout, out _)!;
            _seen[rank] = SharedRegion.TryOpen(_own[rank].Offer(), Layout, out _)!;
        }
    }

    public void Dispose()
    {
        foreach (var region in _own.Concat(_seen))
            region?.Dispose();
    }

    // A ring that is missed leaves both asleep.
    [Theory]
    [InlineData(false, 5_000)]
    [InlineData(true, 5_000)]
    public async Task No_change_is_missed(bool spins, int rounds)
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, 2)
                .Select(rank =>
                    OnThread(() =>
                    {
                        var wait = new CounterWait(_own[rank].Signal()) { Spins = spins };
                        for (var round = 1; round <= rounds; round++)
                        {
                            if (rank == 1)
                                wait.Until(Theirs(rank), round, Deadline());
                            Publish(rank, round);
                            if (rank == 0)
                                wait.Until(Theirs(rank), round, Deadline());
                        }
                    })
                )
        );
        Assert.Equal((rounds, rounds), (Theirs(0).Value, Theirs(1).Value));
    }

    [Fact]
    public async Task One_who_sleeps_is_woken_by_the_counter()
    {
        var wait = new CounterWait(_own[0].Signal());
        var waiting = OnThread(() => wait.Until(Theirs(0), 1, Deadline()));
        await SleepsAsync();
        Publish(rank: 1, 1);
        await waiting;
        Assert.False(_own[0].Signal().HasSleeper);
    }

    [Fact]
    public async Task A_failure_ends_the_sleep_and_every_later_wait()
    {
        var wait = new CounterWait(_own[0].Signal());
        var waiting = OnThread(() => wait.Until(Theirs(0), 1, Deadline()));
        await SleepsAsync();
        wait.Fail(new IOException("first"));
        wait.Fail(new IOException("second"));

        Assert.Equal("first", (await Assert.ThrowsAsync<IOException>(() => waiting)).Message);
        Assert.Throws<IOException>(() => wait.Until(Theirs(0), 1, Deadline()));
        Assert.False(_own[0].Signal().HasSleeper);
    }

    [Fact]
    public void What_is_there_counts_although_its_sender_failed_afterwards()
    {
        var wait = new CounterWait(_own[0].Signal());
        Publish(rank: 1, 4);
        wait.Fail(new IOException());
        wait.Until(Theirs(0), 4, Deadline());
        Assert.Throws<IOException>(() => wait.Until(Theirs(0), 5, Deadline()));
    }

    [Fact]
    public async Task Cancellation_ends_the_sleep()
    {
        using var cancellation = new CancellationTokenSource();
        var wait = new CounterWait(_own[0].Signal());
        var waiting = OnThread(() => wait.Until(Theirs(0), 1, cancellation.Token));
        await SleepsAsync();
        await cancellation.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => waiting);
    }

    private SharedCounter Theirs(int rank) => _seen[1 - rank].Counter(new ExchangePart(PartKind.Nodes, 0));

    private void Publish(int rank, long value)
    {
        _own[rank].Counter(new ExchangePart(PartKind.Nodes, 0)).Publish(value);
        _seen[1 - rank].Signal().Ring();
    }

    private async Task SleepsAsync()
    {
        var deadline = Deadline();
        while (!_own[0].Signal().HasSleeper)
        {
            deadline.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static Task OnThread(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    // A defect must not hang the tests.
    private static CancellationToken Deadline() => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;
}
