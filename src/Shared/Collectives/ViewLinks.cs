using System.Collections.Concurrent;
using Distributed.Collectives.SharedMemory;
using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>The links of one view: those that this member opens, and those that others open to it. A worker opens those to lower ranks and to the coordinator.</summary>
public sealed class ViewLinks : IAsyncDisposable
{
    /// <summary>How long the last frames of a view may take to leave.</summary>
    private static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(5);

    private readonly ExchangeIdentity _identity;
    private readonly ViewExchange _exchange;
    private readonly int _expected;
    private readonly CancellationTokenSource _broken = new();
    private readonly List<Connection> _connections = [];
    private readonly List<Task> _dialed = [];
    private readonly ConcurrentBag<Task> _served = [];
    private readonly ConcurrentBag<Task> _sending = [];
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _attached;

    /// <summary>Prepares the links.</summary>
    /// <param name="identity">The view, seen by this worker.</param>
    /// <param name="exchange">What runs over the links.</param>
    /// <param name="expected">How many there will be.</param>
    /// <param name="sharedMemory">What to reach peers of the host through, or null for links alone; this takes it over.</param>
    public ViewLinks(ExchangeIdentity identity, ViewExchange exchange, int expected, SharedMemoryPeers? sharedMemory = null)
    {
        SharedMemory = sharedMemory;
        _identity = identity;
        _exchange = exchange;
        _expected = expected;
        if (expected == 0)
            _opened.SetResult();
    }

    /// <summary>The run's identity.</summary>
    public ulong Run => _identity.Run;

    /// <summary>The view's generation.</summary>
    public ViewGeneration Generation => _identity.Generation;

    /// <summary>Knows where the values that come over the links belong.</summary>
    public IFrameSink Sink => _exchange;

    /// <summary>The number of workers in the view.</summary>
    public int Workers => _identity.Workers.Count;

    /// <summary>What peers of the host are reached through; null where links alone are wanted.</summary>
    public SharedMemoryPeers? SharedMemory { get; }

    /// <summary>Agrees with a peer whether both share memory, and opens a link to it.</summary>
    /// <param name="peer">The other's number in the exchange.</param>
    /// <param name="name">Its name.</param>
    /// <param name="address">Its address.</param>
    /// <param name="token">The run's token.</param>
    /// <exception cref="PeerFailureException">It cannot be reached.</exception>
    public async Task ReachAsync(int peer, string name, string address, RunToken? token)
    {
        try
        {
            await DialAsync(peer, address, token);
        }
        catch (Grpc.Core.RpcException exception)
        {
            throw new PeerFailureException(name, 0, Phase.StateTransfer, $"{address} cannot be reached: {WireErrors.Cause(exception)}", exception);
        }
    }

    /// <summary>Runs a link that a peer has opened until it ends.</summary>
    /// <param name="hello">The peer's greeting.</param>
    /// <param name="link">The link, made with the peer's number.</param>
    /// <param name="cancellationToken">Breaks the link.</param>
    /// <exception cref="InvalidDataException">The peer believes that it shares memory with this member, which does not.</exception>
    public Task ServeAsync(FrameHeader hello, FrameLink link, CancellationToken cancellationToken)
    {
        var isShared = hello.Offset != 0;
        if (SharedMemory is null ? isShared : SharedMemory.Conclude(hello.Part, isShared) != isShared)
            throw new InvalidDataException($"{_identity.Workers[hello.Part]} says that it shares memory with this worker, which does not see it");
        var serving = RunLinkAsync(link, complete: null, cancellationToken);
        _served.Add(serving);
        return serving;
    }

    /// <summary>Waits until every link is there.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="PeerFailureException">One did not come.</exception>
    public async Task OpenedAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _opened.Task.WaitAsync(WireLimits.ViewOpeningTime, cancellationToken);
        }
        catch (TimeoutException exception)
        {
            throw new PeerFailureException($"{_expected - _attached} of {_expected} peers", 0, Phase.StateTransfer, $"no connection within {WireLimits.ViewOpeningTime.TotalMinutes:0} minutes", exception);
        }
    }

    /// <summary>Ends the view's sending: when this returns, no vector that was queued is read any more.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public Task DrainAsync(CancellationToken cancellationToken)
    {
        _exchange.Close();
        return Task.WhenAll(_sending).WaitAsync(cancellationToken);
    }

    /// <summary>Sends what is still queued, then lets the links and the shared memory go.</summary>
    public async ValueTask DisposeAsync()
    {
        _exchange.Close();
        await EndedAsync(_dialed);
        await _broken.CancelAsync();
        if (SharedMemory is not null && await EndedAsync(_dialed.Concat(_served)))
            SharedMemory.Dispose(); // otherwise a link may still send from it
        foreach (var connection in _connections)
            connection.Dispose();
        _broken.Dispose();
    }

    private async Task DialAsync(int peer, string address, RunToken? token)
    {
        var connection = new Connection(address, token);
        _connections.Add(connection);
        var isShared = SharedMemory is not null && await OfferMemoryAsync(SharedMemory, peer, new Peers.PeersClient(connection.Calls));
        var call = new TensorClient(connection.Calls).Exchange(_broken.Token, _exchange);
        await call.RequestStream.WriteAsync(new Frame(_identity.Header(0, FrameKind.Hello, _identity.Rank, offset: isShared ? 1 : 0)), _broken.Token);
        _dialed.Add(RunDialedAsync(new FrameLink(peer, call.ResponseStream, call.RequestStream), call.RequestStream.CompleteAsync, call));
    }

    private async Task<bool> OfferMemoryAsync(SharedMemoryPeers memory, int peer, Peers.PeersClient client)
    {
        var answer = await client.OfferMemoryAsync(memory.Offer(), cancellationToken: _broken.Token);
        return memory.Complete(peer, answer);
    }

    private static async Task<bool> EndedAsync(IEnumerable<Task> links)
    {
        var all = Task.WhenAll(links);
        return await Task.WhenAny(all, Task.Delay(ClosingTime)) == all;
    }

    private async Task RunDialedAsync(FrameLink link, Func<Task> complete, IDisposable call)
    {
        using (call)
            await RunLinkAsync(link, complete, _broken.Token);
    }

    // How a link ended is the exchange's to judge.
    private async Task RunLinkAsync(FrameLink link, Func<Task>? complete, CancellationToken cancellationToken)
    {
        _exchange.Attach(link);
        _sending.Add(link.Sent);
        if (Interlocked.Increment(ref _attached) == _expected)
            _opened.TrySetResult();
        Exception? failure = null;
        try
        {
            await link.RunAsync(_exchange, complete, cancellationToken);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            failure = exception;
        }

        _exchange.LinkEnded(link.Peer, failure);
    }
}
