namespace Distributed.Collectives.SharedMemory;

/// <summary>
/// Exchanges with peers of the same host without copies: they read this member's blocks and slices where they lie, in its region, and this
/// member reads theirs. What is published is told by counters, one for each bucket and kind, which hold the step.
/// </summary>
internal sealed class SharedTransport : IPeerTransport, IDisposable
{
    private readonly int _rank;
    private readonly SharedRegion _own;
    private readonly SharedRegion[] _peers;
    private readonly Mapped?[] _byRank;
    private readonly CounterWait _wait;
    private readonly Lock _lifetime = new(); // a link may tell of its end while the regions are being unmapped
    private bool _isDisposed;
    private ReductionPlan _plan = new(1, 1);
    private long _step;

    /// <summary>Prepares to exchange with peers.</summary>
    /// <param name="rank">This member's rank.</param>
    /// <param name="own">This member's region, in which its <see cref="PublishedMemory"/> lies.</param>
    /// <param name="peers">The peers' regions by their ranks.</param>
    /// <param name="spins">
    /// Whether all that compute on this host have a processor of their own, so that waiting may use this member's.
    /// </param>
    public SharedTransport(int rank, SharedRegion own, IReadOnlyDictionary<int, SharedRegion> peers, bool spins)
    {
        _rank = rank;
        _own = own;
        _peers = [.. peers.Values];
        _byRank =
        [
            .. Enumerable.Range(0, own.Layout.Members).Select(peer => peers.TryGetValue(peer, out var region) ? Mapped.Of(region) : null),
        ];
        _wait = new CounterWait(own.Signal()) { Spins = spins };
    }

    /// <inheritdoc />
    public void Begin(long step, ReductionPlan plan)
    {
        _plan = plan;
        Volatile.Write(ref _step, step);
    }

    /// <inheritdoc />
    public void PublishBlocks(int bucket) => Publish(CounterKind.Blocks, bucket);

    /// <inheritdoc />
    public void PublishSlice(int bucket) => Publish(CounterKind.Slice, bucket);

    /// <inheritdoc />
    public bool HasBlocks(int peer, int bucket) => CounterOf(peer, CounterKind.Blocks, bucket).Value >= _step;

    /// <inheritdoc />
    public bool HasSlice(int peer, int bucket) => CounterOf(peer, CounterKind.Slice, bucket).Value >= _step;

    /// <inheritdoc />
    public void WaitForBlocks(int peer, int bucket, CancellationToken cancellationToken) =>
        _wait.Until(CounterOf(peer, CounterKind.Blocks, bucket), _step, cancellationToken);

    /// <inheritdoc />
    public void WaitForSlice(int peer, int bucket, CancellationToken cancellationToken) =>
        _wait.Until(CounterOf(peer, CounterKind.Slice, bucket), _step, cancellationToken);

    /// <inheritdoc />
    public ReadOnlySpan<float> Block(int peer, int place, int bucket) =>
        Part(_byRank[peer]!.Blocks[place - _plan.PlacesOf(peer).First], _plan.SliceOf(bucket, _rank));

    /// <inheritdoc />
    public ReadOnlySpan<float> Slice(int peer, int bucket) => Part(_byRank[peer]!.Reduced, _plan.SliceOf(bucket, peer));

    /// <inheritdoc />
    public bool IsOwedBy(int peer)
    {
        lock (_lifetime)
            return !_isDisposed && (Owes(CounterKind.Blocks) || Owes(CounterKind.Slice));

        // Buckets are published in ascending order.
        bool Owes(CounterKind kind) => CounterOf(peer, kind, _own.Layout.Buckets - 1).Value < Volatile.Read(ref _step);
    }

    /// <inheritdoc />
    public void Fail(Exception failure)
    {
        lock (_lifetime)
        {
            if (!_isDisposed)
                _wait.Fail(failure);
        }
    }

    /// <summary>Unmaps the peers' regions; nobody may be exchanging any more.</summary>
    public void Dispose()
    {
        lock (_lifetime)
            _isDisposed = true;
        foreach (var region in _peers)
            region.Dispose();
    }

    private void Publish(CounterKind kind, int bucket)
    {
        _own.Counter(kind, bucket).Publish(_step);
        foreach (var region in _peers)
            region.Signal().Ring();
    }

    private SharedCounter CounterOf(int peer, CounterKind kind, int bucket) => _byRank[peer]!.Region.Counter(kind, bucket);

    private static ReadOnlySpan<float> Part(MappedValues values, Bucket part) => values.GetSpan()[part.Start..part.End];

    /// <summary>A peer's region and what is read in it.</summary>
    private sealed record Mapped(SharedRegion Region, IReadOnlyList<MappedValues> Blocks, MappedValues Reduced)
    {
        public static Mapped Of(SharedRegion region) =>
            new(region, [.. Enumerable.Range(0, region.Layout.Blocks).Select(region.Block)], region.Reduced());
    }
}
