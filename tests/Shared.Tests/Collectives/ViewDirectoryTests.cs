using Distributed.Collectives;
using Distributed.Protocol;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

public sealed class ViewDirectoryTests
{
    private static readonly ViewGeneration Next = new(1, 2);

    private readonly FakeTimeProvider _time = new();

    // A newcomer enters a view at once, the others only after the steps and the evaluation that they were granted before.
    [Fact]
    public async Task A_peer_that_is_ahead_by_a_view_waits_for_a_long_evaluation()
    {
        var directory = new ViewDirectory(_time);
        var finding = directory.ViewAsync(Next, CancellationToken.None);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.False(finding.IsCompleted);

        await using var view = await OpenAsync(directory, Next);
        Assert.Same(view, await finding);
    }

    [Fact]
    public async Task A_view_that_does_not_come_is_waited_for_as_long_as_the_caller_wants()
    {
        using var caller = new CancellationTokenSource();
        var finding = new ViewDirectory(_time).ViewAsync(Next, caller.Token);
        await caller.CancelAsync();
        await Assert.ThrowsAsync<TaskCanceledException>(() => finding);
    }

    [Fact]
    public async Task A_view_that_is_over_is_refused_at_once()
    {
        var directory = new ViewDirectory(_time);
        await using var view = await OpenAsync(directory, Next);
        var refusal = await Assert.ThrowsAsync<RpcException>(() => directory.ViewAsync(new ViewGeneration(1, 1), CancellationToken.None));
        Assert.Equal("view 1.1 is over here", refusal.Status.Detail);
    }

    private static Task<ExchangeView> OpenAsync(ViewDirectory directory, ViewGeneration generation) =>
        ExchangeView.OpenAsync(
            new ViewIdentity(42, generation, 0, ["worker 1"]),
            [""],
            new ExchangeSettings(new ReductionPlans([1], [new Bucket(0, 16)]), Length: 16, Microbatches: 1, Threads: 1, TransportMode.Tcp),
            token: null,
            directory,
            CancellationToken.None
        );
}
