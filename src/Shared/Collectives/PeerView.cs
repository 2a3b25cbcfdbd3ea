using Distributed.Collectives.SharedMemory;
using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>What the workers of a view exchange, and how.</summary>
/// <param name="Plans">The plans of the view's steps.</param>
/// <param name="Length">The flat vector's length in elements.</param>
/// <param name="Microbatches">Microbatches of the largest batch.</param>
/// <param name="Threads">Threads that compute in this process.</param>
/// <param name="Transport">How gradients are to travel.</param>
public sealed record PeerViewSettings(ReductionPlans Plans, int Length, int Microbatches, int Threads, TransportMode Transport);

/// <summary>
/// A view whose workers own the slices, seen by one of them: where it publishes its gradients, the exchange, and the links to all others,
/// over shared memory where two of them see the same.
/// </summary>
public sealed class PeerView : IAsyncDisposable
{
    private readonly ViewLinks _links;

    private PeerView(PeerReduction exchange, PublishedMemory memory, ViewLinks links)
    {
        Exchange = exchange;
        Memory = memory;
        _links = links;
    }

    /// <summary>Sums the gradients.</summary>
    public PeerReduction Exchange { get; }

    /// <summary>Where this worker's gradients are to be put; gone when this is disposed.</summary>
    public PublishedMemory Memory { get; }

    /// <summary>How many peers are reached through shared memory.</summary>
    public int MemoryPeers => _links.SharedMemory?.Count ?? 0;

    /// <summary>
    /// Why one of the peers is not reached through shared memory, with its name; empty if none is, or if it was not wanted.
    /// </summary>
    public string Refusal => _links.SharedMemory?.Refusal ?? "";

    /// <summary>Reaches every other worker of a view.</summary>
    /// <param name="identity">The view, seen by this worker.</param>
    /// <param name="addresses">Where the workers are, in order of rank.</param>
    /// <param name="settings">What is exchanged, and how.</param>
    /// <param name="token">The run's token.</param>
    /// <param name="directory">Lets peers find the view.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PeerFailureException">One cannot be reached.</exception>
    /// <exception cref="InputException">Shared memory alone was wanted, and there is a peer without it.</exception>
    public static async Task<PeerView> EnterAsync(
        ExchangeIdentity identity,
        IReadOnlyList<string> addresses,
        PeerViewSettings settings,
        RunToken? token,
        ViewDirectory directory,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(directory);
        var sharedMemory = settings.Transport == TransportMode.Grpc || addresses.Count == 1 ? null : Share(identity, settings);
        var memory = sharedMemory?.Memory ?? new PrivateMemory(settings.Length);
        var exchange = new PeerReduction(identity, settings.Plans, memory);
        var view = new PeerView(exchange, memory, new ViewLinks(identity, exchange, expected: 2 * (addresses.Count - 1), sharedMemory));
        try
        {
            directory.Enter(view._links);
            await view.ReachAsync(identity, addresses, token, cancellationToken);
            if (settings.Transport == TransportMode.Shm && view.Refusal is { Length: > 0 } refusal)
                throw new InputException($"--transport shm: no memory is shared with {refusal}; use auto or grpc");
            sharedMemory?.Connect(exchange);
            return view;
        }
        catch
        {
            await view.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends what is still queued and leaves.</summary>
    public ValueTask DisposeAsync() => _links.DisposeAsync();

    private static SharedMemoryPeers Share(ExchangeIdentity identity, PeerViewSettings settings) =>
        new(
            identity,
            settings.Plans.For(settings.Microbatches).Buckets.Count,
            ReductionTree.MostBlocks(settings.Microbatches),
            settings.Length,
            settings.Threads
        );

    private async Task ReachAsync(
        ExchangeIdentity identity,
        IReadOnlyList<string> addresses,
        RunToken? token,
        CancellationToken cancellationToken
    )
    {
        foreach (var peer in Enumerable.Range(0, addresses.Count).Where(peer => peer != identity.Rank))
            await _links.ReachWorkerAsync(peer, identity.Workers[peer], addresses[peer], token, cancellationToken);
        await _links.OpenedAsync(cancellationToken);
    }
}
