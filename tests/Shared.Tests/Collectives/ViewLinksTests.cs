using Distributed.Collectives;
using Distributed.Protocol;
using Grpc.Core;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

public sealed class ViewLinksTests
{
    private static readonly ExchangeIdentity Identity = new(42, new ViewGeneration(1, 1), Rank: 1, ["worker 1"]);

    private readonly FrameStream _incoming = new();
    private readonly HeldStream _outgoing = new();
    private readonly OwnerExchange _owner = new(Identity, new ReductionPlans([1], []), 16);

    // The owner overwrites the weights two steps later, and a worker that has left does not hold it up.
    [Fact]
    public async Task A_view_is_drained_only_when_the_last_weights_have_been_read()
    {
        await using var links = new ViewLinks(Identity, _owner, expected: 1);
        var running = links.ServeAsync(Identity.Header(0, FrameKind.Hello), new FrameLink(0, _incoming, _outgoing), CancellationToken.None);
        _owner.Begin(1, 1);
        _owner.Broadcast(new float[16]);
        var draining = links.DrainAsync(CancellationToken.None);
        Assert.False(draining.IsCompleted);

        _outgoing.Release.SetResult();
        await draining;
        await _incoming.EndAsync();
        await running;
    }

    [Fact]
    public async Task A_link_that_breaks_does_not_hold_the_draining_up()
    {
        await using var links = new ViewLinks(Identity, _owner, expected: 1);
        var running = links.ServeAsync(Identity.Header(0, FrameKind.Hello), new FrameLink(0, _incoming, _outgoing), CancellationToken.None);
        _owner.Begin(1, 1);
        _owner.Broadcast(new float[16]);
        var draining = links.DrainAsync(CancellationToken.None);
        await _incoming.EndAsync(new IOException("reset"));
        await draining;
        await running;
    }

    private sealed class HeldStream : IAsyncStreamWriter<Frame>
    {
        public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(Frame message) => Release.Task;

        public Task WriteAsync(Frame message, CancellationToken cancellationToken) => Release.Task.WaitAsync(cancellationToken);
    }
}
