namespace Distributed.Collectives.Transports.SharedMemory;

/// <summary>
/// Exchanges with peers of the same host without copies: they read this member's nodes, slices and records in its region, and this
/// member reads theirs. Counters tell what is published, one for each part: they hold the position of the exchange.
/// </summary>
internal sealed class SharedTransport : ITransport, IDisposable
{
    private readonly int _rank;
    private readonly SharedRegion _own;
    private readonly SharedRegion[] _peers;
    private readonly Mapped?[] _byRank;
    private readonly CounterWait _wait;
    private readonly Lock _lifetime = new(); // a link may tell of its end while the regions are being unmapped
    private bool _isDisposed;
    private ExchangeRound _round = new(0, 0, new ReductionPlan(1, 1), HasGradient: false);

    /// <summary>Prepares to exchange with peers.</summary>
    /// <param name="rank">This member's rank.</param>
    /// <param name="own">This member's region, in which its <see cref="ExchangeMemory"/> lies.</param>
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
    public void Begin(in ExchangeRound round)
    {
        lock (_lifetime)
            _round = round;
    }

    /// <inheritdoc />
    public void PublishNodes(int bucket) => Publish(new ExchangePart(PartKind.Nodes, bucket));

    /// <inheritdoc />
    public void PublishSlice(int bucket) => Publish(new ExchangePart(PartKind.Slice, bucket));

    /// <inheritdoc />
    public void PublishRecord() => Publish(new ExchangePart(PartKind.Record, 0));

    /// <inheritdoc />
    public bool Has(int peer, in ExchangePart part) => CounterOf(peer, part).Value >= _round.Position;

    /// <inheritdoc />
    public void Wait(int peer, in ExchangePart part, CancellationToken cancellationToken) =>
        _wait.Until(CounterOf(peer, part), _round.Position, cancellationToken);

    /// <inheritdoc />
    public ReadOnlySpan<float> Node(int peer, int place, int bucket) =>
        Part(_byRank[peer]!.Nodes[place - _round.Plan.PlacesOf(peer).First], _round.Plan.SliceOf(bucket, _rank));

    /// <inheritdoc />
    public ReadOnlySpan<float> Slice(int peer, int bucket) => Part(_byRank[peer]!.Slices, _round.Plan.SliceOf(bucket, peer));

    /// <inheritdoc />
    public ReadOnlySpan<float> Record(int peer) => _byRank[peer]!.Records[_round.Parity].GetSpan();

    /// <inheritdoc />
    public bool IsOwedBy(int peer)
    {
        lock (_lifetime)
        {
            if (_isDisposed)
                return false;
            var (plan, last) = (_round.Plan, _round.Plan.Buckets.Count - 1);
            // Buckets are published in ascending order.
            return Owes(new ExchangePart(PartKind.Record, 0))
                || (_round.HasGradient && last >= 0 && plan.IsOwner(_rank) && peer < plan.Workers && Owes(new(PartKind.Nodes, last)))
                || (_round.HasGradient && last >= 0 && plan.IsOwner(peer) && Owes(new(PartKind.Slice, last)));
        }

        bool Owes(in ExchangePart part) => CounterOf(peer, part).Value < _round.Position;
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

    /// <summary>Unmaps the peers' regions; nothing may be exchanging any more.</summary>
    public void Dispose()
    {
        lock (_lifetime)
            _isDisposed = true;
        foreach (var region in _peers)
            region.Dispose();
    }

    private void Publish(in ExchangePart part)
    {
        _own.Counter(part).Publish(_round.Position);
        foreach (var region in _peers)
            region.Signal().Ring();
    }

    private SharedCounter CounterOf(int peer, in ExchangePart part) => _byRank[peer]!.Region.Counter(part);

    private static ReadOnlySpan<float> Part(MappedValues values, Bucket part) => values.GetSpan()[part.Start..part.End];

    /// <summary>A peer's region and what is read in it.</summary>
    private sealed record Mapped(
        SharedRegion Region,
        IReadOnlyList<MappedValues> Nodes,
        MappedValues Slices,
        IReadOnlyList<MappedValues> Records
    )
    {
        public static Mapped Of(SharedRegion region) =>
            new(
                region,
                [.. Enumerable.Range(0, region.Layout.Nodes).Select(region.Node)],
                region.Slices(),
                [region.Record(0), region.Record(1)]
            );
    }
}
