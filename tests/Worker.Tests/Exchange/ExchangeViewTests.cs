using System.Net.Sockets;
using Distributed.Collectives;
using Distributed.Collectives.Transports.Calls;
using Distributed.Collectives.Transports.Streams;
using Distributed.Protocol;
using Distributed.Worker.Benchmarks;
using Grpc.Core;
using Xunit;

namespace Distributed.Worker.Tests.Exchange;

/// <summary>Views of two workers whose servers are those of real workers, over every transport.</summary>
public sealed class ExchangeViewTests : IAsyncLifetime
{
    private const int Workers = 2;
    private const int Length = 2 * Buckets.Elements; // two buckets

    private readonly RunToken _token = RunToken.Create();
    private readonly List<PeerServer> _servers = [];
    private readonly CancellationToken _deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    internal static class Examples
    {
        public static TheoryData<TransportMode> Transports => new() { TransportMode.Shm, TransportMode.Tcp, TransportMode.Grpc };
    }

    public async ValueTask InitializeAsync()
    {
        for (var rank = 0; rank < Workers; rank++)
            _servers.Add(await PeerServer.StartAsync(new Uri("http://127.0.0.1:0"), _token, _deadline));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
            await server.DisposeAsync();
    }

    [Theory]
    [InlineData(TransportMode.Tcp, true)]
    [InlineData(TransportMode.Tcp, false)]
    [InlineData(TransportMode.Grpc, true)]
    internal async Task Gradients_larger_than_any_window_are_summed_and_cost_the_bytes_of_the_plan(
        TransportMode transport,
        bool usesLocalSockets
    )
    {
        const int length = 3 * WireLimits.WindowBytes / sizeof(float);
        var views = await OpenAsync(length, transport, usesLocalSockets);
        await Task.WhenAll(views.Select((view, rank) => OnThread(() => new Sum(view, length, rank).Run(steps: 2))));
        var plan = AllReduceBenchmark.Settings(length, Workers, transport).Plans.For(Workers);
        Assert.All(views, (view, rank) => Assert.Equal(2 * plan.BytesSentBy(rank), view.BytesSent));
        await Task.WhenAll(views.Select(view => view.DisposeAsync().AsTask()));
    }

    [Theory]
    [MemberData(nameof(Examples.Transports), MemberType = typeof(Examples))]
    internal async Task Peers_are_reached_in_the_way_that_was_asked_for(TransportMode transport)
    {
        var views = await OpenAsync(length: 100, transport);
        var local = OperatingSystem.IsLinux() ? 1 : 0;
        var expected = transport switch
        {
            TransportMode.Shm => new PeerWays(1, 0, 0, 0, ""),
            TransportMode.Tcp => new PeerWays(0, 1, local, 0, ""),
            _ => new PeerWays(0, 0, 0, 1, ""),
        };
        Assert.All(views, view => Assert.Equal(expected, view.Ways));
        await Task.WhenAll(views.Select(view => view.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task Raw_streams_inside_a_host_can_be_kept_to_TCP()
    {
        var views = await OpenAsync(length: 100, TransportMode.Tcp, usesLocalSockets: false);
        Assert.All(views, view => Assert.Equal(new PeerWays(0, 1, 0, 0, ""), view.Ways));
        await Task.WhenAll(views.Select(view => view.DisposeAsync().AsTask()));
    }

    [Theory]
    [MemberData(nameof(Examples.Transports), MemberType = typeof(Examples))]
    internal async Task A_peer_that_goes_in_the_middle_of_a_step_is_named(TransportMode transport)
    {
        var views = await OpenAsync(length: 1_000, transport);
        var stepping = OnThread(() => new Sum(views[0], 1_000, rank: 0).Step(1));
        await views[1].AbandonAsync();

        var failure = await Assert.ThrowsAsync<PeerFailureException>(() => stepping);
        Assert.Equal("worker 2", failure.Peer);
        await views[0].AbandonAsync();
    }

    // At every point of a step at which the peer can tell what this member has done, the peer going on all the while.
    [Theory]
    [MemberData(nameof(Examples.Transports), MemberType = typeof(Examples))]
    internal async Task A_view_can_be_abandoned_at_any_point_and_nothing_of_it_is_touched_afterwards(TransportMode transport)
    {
        var points = await PointsOfAStepAsync(transport);
        Assert.Contains(new ExchangePoint(ExchangeStage.NodesPublished, 1), points);
        Assert.Contains(new ExchangePoint(ExchangeStage.SlicePublished, 1), points);
        Assert.Contains(new ExchangePoint(ExchangeStage.Completed, 0), points);
        uint number = 1;
        foreach (var point in points)
        {
            var views = await OpenAsync(Length, transport, number: ++number);
            Task? abandoning = null;
            var sum = new Sum(views[0], Length, rank: 0);
            views[0].Exchange.Reached = reached =>
            {
                if (reached == point)
                    abandoning = views[0].AbandonAsync();
            };
            var peer = OnThread(() => new Sum(views[1], Length, rank: 1).Run(steps: 3));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => OnThread(() => sum.Step(1)));
            await abandoning!;
            float[] taken = [.. sum.Gradient];
            var memory = transport == TransportMode.Shm ? null : views[0].Memory.Slices.ToArray();

            await Assert.ThrowsAnyAsync<Exception>(() => peer); // it goes on until it misses this member
            await views[1].AbandonAsync();
            Assert.Equal(taken, sum.Gradient);
            Assert.False(sum.IsComplete);
            if (memory is not null)
                Assert.Equal(memory, views[0].Memory.Slices.ToArray());
            else
                Assert.Throws<ObjectDisposedException>(() => views[0].Memory.Slices.Span.Length);
            Assert.ThrowsAny<OperationCanceledException>(() => views[0].RunStep(() => Assert.Fail("the view is over")));
        }
    }

    [Fact]
    public async Task A_ticket_is_good_once_and_an_invented_one_never()
    {
        await using var view = await OpenAloneAsync();
        var ticket = _servers[0].Directory.Tickets.Issue(view, rank: 0);
        using var first = await ConnectAsync();
        await new StreamPreamble(ticket, IsShared: false).SendAsync(first, _deadline);
        using var second = await ConnectAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => new StreamPreamble(ticket, IsShared: false).SendAsync(second, _deadline));
        using var third = await ConnectAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => new StreamPreamble(Ticket: 7, IsShared: false).SendAsync(third, _deadline));
    }

    [Fact]
    public async Task A_call_without_a_ticket_is_refused()
    {
        using var connection = new Connection(Address(0), _token);
        var headers = new Metadata { { CallLink.TicketHeader, "0" } };
        using var call = new Tensors.TensorsClient(connection.Calls).Exchange(headers);
        var refusal = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(_deadline));
        Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
    }

    [Theory]
    [InlineData(new byte[] { 0xD7 })] // the beginning of a preamble, and then an end
    [InlineData(new byte[] { 0xD7, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 })]
    [InlineData(new byte[] { 0x16, 3, 1, 0, 5 })]
    [InlineData(new byte[] { 0x47, 0x45, 0x54 })] // GET, by HTTP/1
    public async Task Whoever_says_something_else_does_not_disturb_the_others(byte[] bytes)
    {
        for (var i = 0; i < 20; i++)
        {
            using var socket = await ConnectAsync();
            await socket.SendAsync(bytes, _deadline);
        }

        var views = await OpenAsync(length: 100, TransportMode.Tcp, usesLocalSockets: false);
        await Task.WhenAll(views.Select((view, rank) => OnThread(() => new Sum(view, 100, rank).Run(steps: 1))));
        await Task.WhenAll(views.Select(view => view.DisposeAsync().AsTask()));
    }

    private async Task<List<ExchangePoint>> PointsOfAStepAsync(TransportMode transport)
    {
        var views = await OpenAsync(Length, transport);
        var points = new List<ExchangePoint>();
        views[0].Exchange.Reached = points.Add;
        await Task.WhenAll(views.Select((view, rank) => OnThread(() => new Sum(view, Length, rank).Run(steps: 1))));
        await Task.WhenAll(views.Select(view => view.DisposeAsync().AsTask()));
        return [.. points.Distinct()];
    }

    private Task<ExchangeView[]> OpenAsync(int length, TransportMode transport, bool usesLocalSockets = true, uint number = 1) =>
        Task.WhenAll(Enumerable.Range(0, Workers).Select(rank => OpenOneAsync(rank, length, transport, usesLocalSockets, number)));

    // Each member keeps its plans to itself.
    private Task<ExchangeView> OpenOneAsync(int rank, int length, TransportMode transport, bool usesLocalSockets, uint number) =>
        ExchangeView.OpenAsync(
            new ViewIdentity(Run: 1, new ViewGeneration(1, number), rank, ["worker 1", "worker 2"]),
            [Address(0), Address(1)],
            AllReduceBenchmark.Settings(length, Workers, transport, usesLocalSockets),
            _token,
            _servers[rank].Directory,
            _deadline
        );

    // A view whose only member needs no peer.
    private Task<ExchangeView> OpenAloneAsync() =>
        ExchangeView.OpenAsync(
            new ViewIdentity(Run: 1, new ViewGeneration(1, 1), Rank: 0, ["worker 1"]),
            [Address(0)],
            AllReduceBenchmark.Settings(length: 16, workers: 1, TransportMode.Tcp),
            _token,
            _servers[0].Directory,
            _deadline
        );

    private string Address(int rank) => _servers[rank].Address.ToString();

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(_servers[0].Address.Host, _servers[0].Address.Port, _deadline);
        return socket;
    }

    private static Task OnThread(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>A member whose gradient is its element's number, and the sum that it gets.</summary>
    private sealed class Sum(ExchangeView view, int length, int rank) : IGradientConsumer
    {
        public float[] Gradient { get; } = new float[length];

        public bool IsComplete { get; private set; }

        public void Run(int steps)
        {
            for (var step = 1; step <= steps; step++)
            {
                Step(step);
                for (var i = 0; i < length; i += 997)
                    Assert.Equal((float)Workers * i, Gradient[i]);
            }
        }

        public void Step(long step) =>
            view.RunStep(() =>
            {
                var plan = view.Exchange.Begin(step, Workers, this, stop: view.Stopping);
                Assert.Equal(1, plan.PlacesOf(rank).Count);
                for (var i = 0; i < length; i++)
                    view.Memory.Node(0).Span[i] = i;
                view.Exchange.PublishRecord();
                view.Exchange.Complete();
                IsComplete = true;
            });

        public void Take(int offset, ReadOnlySpan<float> values) => values.CopyTo(Gradient.AsSpan(offset));
    }
}
