using Distributed.Collectives.Transports;

namespace Distributed.Collectives;

/// <summary>Counts the elements that each peer still owes of each part of an exchange; a thread can poll or block.</summary>
/// <param name="peers">The number of peers.</param>
internal sealed class ArrivalCounter(int peers)
{
    private readonly object _gate = new();
    private long[] _owed = [];
    private int _buckets;
    private Exception? _failure;

    /// <summary>Begins anew, expecting nothing.</summary>
    /// <param name="buckets">The number of buckets.</param>
    public void Begin(int buckets)
    {
        lock (_gate)
        {
            _buckets = Math.Max(1, buckets);
            if (_owed.Length != peers * Parts)
                _owed = new long[peers * Parts];
            Array.Clear(_owed);
        }
    }

    /// <summary>Expects elements from a peer.</summary>
    public void Expect(int peer, in ExchangePart part, long elements)
    {
        lock (_gate)
            _owed[Cell(peer, part)] += elements;
    }

    /// <summary>Counts elements that have arrived.</summary>
    /// <exception cref="InvalidDataException">There are more than expected.</exception>
    public void Arrived(int peer, in ExchangePart part, long elements)
    {
        lock (_gate)
        {
            var cell = Cell(peer, part);
            if (elements > _owed[cell])
                throw new InvalidDataException($"peer {peer} sent more values than the plan expects of it");
            Volatile.Write(ref _owed[cell], _owed[cell] - elements);
            if (_owed[cell] == 0)
                Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Whether all of a part has arrived from a peer.</summary>
    public bool IsThere(int peer, in ExchangePart part) => Volatile.Read(ref _owed[Cell(peer, part)]) == 0;

    /// <summary>Whether a peer still owes elements of any part.</summary>
    public bool IsOwedBy(int peer)
    {
        lock (_gate)
            return _owed.Length > 0 && _owed.AsSpan(peer * Parts, Parts).ContainsAnyExcept(0L);
    }

    /// <summary>Fails all present and future waits; the first failure wins.</summary>
    public void Fail(Exception exception)
    {
        lock (_gate)
        {
            _failure ??= exception;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Throws the failure, if one was reported.</summary>
    public void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure)
            throw failure;
    }

    /// <summary>Blocks until a part has arrived from a peer.</summary>
    /// <exception cref="Exception">The failure that was reported.</exception>
    public void Wait(int peer, in ExchangePart part, CancellationToken cancellationToken)
    {
        if (IsThere(peer, part))
            return;
        using var cancellation = cancellationToken.UnsafeRegister(static counter => ((ArrivalCounter)counter!).Wake(), this);
        lock (_gate)
        {
            while (!IsThere(peer, part))
            {
                cancellationToken.ThrowIfCancellationRequested();
                ThrowIfFailed();
                Monitor.Wait(_gate);
            }
        }
    }

    // Nodes and slices of each bucket, and one record.
    private int Parts => (2 * _buckets) + 1;

    private int Cell(int peer, in ExchangePart part) => (peer * Parts) + ((int)part.Kind * _buckets) + part.Bucket;

    private void Wake()
    {
        lock (_gate)
            Monitor.PulseAll(_gate);
    }
}
