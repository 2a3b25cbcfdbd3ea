using Distributed.Collectives;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Worker.Tests.Exchange;

/// <summary>Gradients over gRPC between servers as workers have them.</summary>
public sealed class DirectExchangeTests : IAsyncLifetime
{
    private const int Workers = 2;

    private readonly RunToken _token = RunToken.Create();
    private readonly List<PeerServer> _servers = [];
    private readonly CancellationToken _deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

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

    // The benchmark checks the sums.
    [Fact]
    public async Task Gradients_larger_than_the_windows_are_summed_and_cost_the_bytes_of_the_plan()
    {
        const int length = 3 * WireLimits.WindowBytes / sizeof(float);
        PeerViewSettings Settings() => AllReduceBenchmark.Settings(length, Workers, TransportMode.Grpc); // each member keeps its plans to itself
        var members = await Task.WhenAll(Enumerable.Range(0, Workers).Select(rank => EnterAsync(rank, Settings())));
        await Task.WhenAll(members.Select((view, rank) => Task.Run(() => new Sum(view, length, rank, Workers).Run(steps: 2, _deadline))));
        await Task.WhenAll(members.Select(view => view.DisposeAsync().AsTask()));
        for (var rank = 0; rank < Workers; rank++)
            Assert.Equal(2 * Settings().Plans.For(Workers).BytesSentBy(rank), members[rank].Exchange.BytesSent);
    }

    [Fact]
    public async Task A_client_that_knows_nothing_of_direct_frames_exchanges_with_a_worker()
    {
        const int length = 1_000;
        var settings = AllReduceBenchmark.Settings(length, Workers, TransportMode.Grpc);
        var entering = EnterAsync(rank: 0, settings);
        using var connection = new Connection(Address(0), _token);
        using var call = new TensorClient(connection.Calls).Exchange(_deadline);
        var identity = Identity(1);
        var plan = settings.Plans.For(Workers);
        var (own, others) = (plan.SliceOf(0, 1), plan.SliceOf(0, 0));
        await call.RequestStream.WriteAsync(new Frame(identity.Header(0, FrameKind.Hello, 1)), _deadline);
        await using var view = await entering;
        await call.RequestStream.WriteAsync(new Frame(identity.Header(1, FrameKind.Block, 1, others.Start), Values(others, 2)), _deadline);
        await call.RequestStream.WriteAsync(new Frame(identity.Header(1, FrameKind.Reduced, 1, own.Start), Values(own, 3)), _deadline);

        var sum = new Sum(view, length, rank: 0, Workers);
        await Task.Run(() => sum.Step(1, _deadline), _deadline);
        for (var i = 0; i < length; i++)
            Assert.Equal(i < others.End ? i + (2f * i) : 3f * i, sum.Gradient[i]);
    }

    [Fact]
    public async Task A_peer_that_goes_in_the_middle_of_a_step_is_named()
    {
        var settings = AllReduceBenchmark.Settings(length: 1_000, Workers, TransportMode.Grpc);
        var entering = EnterAsync(rank: 0, settings);
        var exchange = await DirectExchange.OpenAsync(
            Address(0),
            _token,
            new Frame(Identity(1).Header(0, FrameKind.Hello, 1)),
            sink: null,
            _deadline
        );
        await using var view = await entering;
        var stepping = Task.Run(() => new Sum(view, length: 1_000, rank: 0, Workers).Step(1, _deadline), _deadline);
        exchange.Dispose();

        var failure = await Assert.ThrowsAsync<PeerFailureException>(() => stepping);
        Assert.Equal("worker 2", failure.Peer);
    }

    private Task<PeerView> EnterAsync(int rank, PeerViewSettings settings) =>
        PeerView.EnterAsync(Identity(rank), [Address(0), Address(1)], settings, _token, _servers[rank].Directory, _deadline);

    private string Address(int rank) => _servers[rank].Address.ToString();

    private static ExchangeIdentity Identity(int rank) => new(Run: 1, new ViewGeneration(1, 1), rank, ["worker 1", "worker 2"]);

    private static float[] Values(Bucket slice, int factor) =>
        [.. Enumerable.Range(slice.Start, slice.Length).Select(i => (float)factor * i)];

    /// <summary>A member whose gradient is its element's number, and the sum that it gets.</summary>
    private sealed class Sum(PeerView view, int length, int rank, int workers) : IGradientConsumer
    {
        public float[] Gradient { get; } = new float[length];

        public void Run(int steps, CancellationToken cancellationToken)
        {
            for (var step = 1; step <= steps; step++)
            {
                Step(step, cancellationToken);
                for (var i = 0; i < length; i += 997)
                    Assert.Equal((float)workers * i, Gradient[i]);
            }
        }

        public void Step(long step, CancellationToken cancellationToken)
        {
            var plan = view.Exchange.Begin(step, workers, this);
            Assert.Equal(1, plan.PlacesOf(rank).Count);
            for (var i = 0; i < length; i++)
                view.Memory.Block(0).Span[i] = i;
            view.Exchange.Complete(cancellationToken);
        }

        public void Take(int offset, ReadOnlySpan<float> gradientSum) => gradientSum.CopyTo(Gradient.AsSpan(offset));
    }
}
