using System.Collections.Concurrent;
using Distributed.Collectives.SharedMemory;
using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>
/// The links of one view: those that this member opens, and those that others open to it. A worker opens those to lower ranks and to the
/// coordinator.
/// </summary>
public sealed class ViewLinks : IAsyncDisposable
{
    /// <summary>How long the last frames of a view may take to leave.</summary>
    private static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(5);

    private readonly ExchangeIdentity _identity;
    private readonly ViewExchange _exchange;
    private readonly int _expected;
    private readonly CancellationTokenSource _broken = new();
    private readonly List<DirectExchange> _calls = [];
    private readonly TaskCompletionSource<bool>[] _greeted; // by rank: whether the one who opened a link shares memory
    private readonly List<Task> _dialed = [];
    private readonly ConcurrentBag<Task> _served = [];
    private readonly ConcurrentBag<Task> _sending = [];
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _attached;

    /// <summary>Prepares the links.</summary>
    /// <param name="identity">The view, seen by this worker.</param>
    /// <param name="exchange">What runs over the links.</param>
    /// <param name="expected">
    /// How many there will be; one between members that share memory counts for two, since it stands for both directions.
    /// </param>
    /// <param name="sharedMemory">What to reach peers of the host through, or null for links alone; this takes it over.</param>
    public ViewLinks(ExchangeIdentity identity, ViewExchange exchange, int expected, SharedMemoryPeers? sharedMemory = null)
    {
        SharedMemory = sharedMemory;
        _identity = identity;
        _exchange = exchange;
        _expected = expected;
        _greeted = [.. identity.Workers.Select(_ => new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously))];
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

    /// <summary>Opens a link to another member, over which both send.</summary>
    /// <param name="peer">The other's number in the exchange.</param>
    /// <param name="name">Its name.</param>
    /// <param name="address">Its address.</param>
    /// <param name="token">The run's token.</param>
    /// <exception cref="PeerFailureException">It cannot be reached.</exception>
    public Task ReachAsync(int peer, string name, string address, RunToken? token) =>
        ReachAsync(name, address, () => DialAsync(peer, address, token, isShared: false));

    /// <summary>
    /// Agrees with another worker whether both share memory, and opens a link to it: each sends over the one that it has opened. Those that
    /// share memory need no more than one, which the higher rank opens, to notice each other's end.
    /// </summary>
    /// <param name="peer">The other's rank.</param>
    /// <param name="name">Its name.</param>
    /// <param name="address">Its address.</param>
    /// <param name="token">The run's token.</param>
    /// <param name="cancellationToken">Gives up waiting for a higher rank.</param>
    /// <exception cref="PeerFailureException">It cannot be reached, or does not come.</exception>
    public Task ReachWorkerAsync(int peer, string name, string address, RunToken? token, CancellationToken cancellationToken) =>
        ReachAsync(name, address, async () =>
        {
            var opensFirst = peer < _identity.Rank;
            var isShared = opensFirst ? await OfferMemoryAsync(peer, address, token) : await GreetingAsync(peer, name, cancellationToken);
            if (opensFirst || !isShared)
                await DialAsync(peer, address, token, isShared);
        });

    /// <summary>Runs a link that a peer has opened until it ends.</summary>
    /// <param name="hello">The peer's greeting.</param>
    /// <param name="link">The link, made with the peer's number.</param>
    /// <param name="cancellationToken">Breaks the link.</param>
    /// <exception cref="InvalidDataException">The peer believes that it shares memory with this member, which does not.</exception>
    public Task ServeAsync(FrameHeader hello, FrameLink link, CancellationToken cancellationToken)
    {
        var isShared = hello.Offset != 0;
        if (SharedMemory is null ? isShared : SharedMemory.Conclude(hello.Part, isShared) != isShared)
        {
            throw new InvalidDataException(
                $"{_identity.Workers[hello.Part]} says that it shares memory with this worker, which does not see it"
            );
        }

        if (hello.Part < _greeted.Length)
            _greeted[hello.Part].TrySetResult(isShared);
        if (link.Source is { } source)
            _exchange.Attach(hello.Part, source);
        // A worker sends over the links that it has opened, unless there is nothing to send.
        var serving = RunLinkAsync(
            link,
            complete: null,
            sends: isShared || _identity.Rank == Workers,
            ways: isShared ? 2 : 1,
            cancellationToken
        );
        _served.Add(serving);
        return serving;
    }

    /// <summary>Waits until every link is there.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="PeerFailureException">One did not come.</exception>
    public Task OpenedAsync(CancellationToken cancellationToken) =>
        InTimeAsync(_opened.Task, () => $"{_expected - _attached} of {_expected} links", cancellationToken);

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
        foreach (var call in _calls)
            call.Dispose();
        _broken.Dispose();
    }

    private static async Task ReachAsync(string name, string address, Func<Task> dial)
    {
        try
        {
            await dial();
        }
        catch (Grpc.Core.RpcException exception)
        {
            throw new PeerFailureException(
                name,
                0,
                Phase.StateTransfer,
                $"{address} cannot be reached: {WireErrors.Cause(exception)}",
                exception
            );
        }
    }

    private async Task DialAsync(int peer, string address, RunToken? token, bool isShared)
    {
        var hello = new Frame(_identity.Header(0, FrameKind.Hello, _identity.Rank, offset: isShared ? 1 : 0));
        var call = await DirectExchange.OpenAsync(address, token, hello, _exchange, _broken.Token);
        _calls.Add(call);
        _dialed.Add(
            RunLinkAsync(new FrameLink(peer, call.Incoming, call), call.CompleteAsync, sends: true, ways: isShared ? 2 : 1, _broken.Token)
        );
    }

    private async Task<bool> OfferMemoryAsync(int peer, string address, RunToken? token)
    {
        if (SharedMemory is null)
            return false;
        using var connection = new Connection(address, token);
        return SharedMemory.Complete(
            peer,
            await new Peers.PeersClient(connection.Calls).OfferMemoryAsync(SharedMemory.Offer(), cancellationToken: _broken.Token)
        );
    }

    private async Task<bool> GreetingAsync(int peer, string name, CancellationToken cancellationToken)
    {
        await InTimeAsync(_greeted[peer].Task, () => name, cancellationToken);
        return await _greeted[peer].Task;
    }

    private static async Task InTimeAsync(Task opening, Func<string> awaited, CancellationToken cancellationToken)
    {
        try
        {
            await opening.WaitAsync(WireLimits.ViewOpeningTime, cancellationToken);
        }
        catch (TimeoutException exception)
        {
            throw new PeerFailureException(
                awaited(),
                0,
                Phase.StateTransfer,
                $"no connection within {WireLimits.ViewOpeningTime.TotalMinutes:0} minutes",
                exception
            );
        }
    }

    private static async Task<bool> EndedAsync(IEnumerable<Task> links)
    {
        var all = Task.WhenAll(links);
        return await Task.WhenAny(all, Task.Delay(ClosingTime)) == all;
    }

    // How a link ended is the exchange's to judge.
    private async Task RunLinkAsync(FrameLink link, Func<Task>? complete, bool sends, int ways, CancellationToken cancellationToken)
    {
        if (sends)
        {
            _exchange.Attach(link);
            _sending.Add(link.Sent);
        }

        if (Interlocked.Add(ref _attached, ways) == _expected)
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
