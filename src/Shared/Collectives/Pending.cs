namespace Distributed.Collectives;

/// <summary>Counts the elements that each peer still owes of each part of a step; a thread can look, or wait.</summary>
/// <param name="peers">The number of peers.</param>
internal sealed class Pending(int peers)
{
    private readonly object _gate = new();
    private long[] _owed = [];
    private int _parts;
    private Exception? _failure;

    /// <summary>Begins anew, expecting nothing.</summary>
    /// <param name="parts">How many parts each peer's values have.</param>
    public void Begin(int parts)
    {
        lock (_gate)
        {
            _parts = parts;
            if (_owed.Length != peers * parts)
                _owed = new long[peers * parts];
            Array.Clear(_owed);
        }
    }

    /// <summary>Expects elements from a peer.</summary>
    public void Expect(int peer, int part, long elements)
    {
        lock (_gate)
            _owed[Cell(peer, part)] += elements;
    }

    /// <summary>Counts elements that have come.</summary>
    /// <exception cref="InvalidDataException">More came than were expected.</exception>
    public void Arrived(int peer, int part, long elements)
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

    /// <summary>Whether all of a part has come from a peer.</summary>
    public bool IsThere(int peer, int part) => Volatile.Read(ref _owed[Cell(peer, part)]) == 0;

    /// <summary>Throws what ended the waiting, if something did.</summary>
    public void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure)
            throw failure;
    }

    /// <summary>Whether a peer still owes elements of any part.</summary>
    public bool IsOwedBy(int peer)
    {
        lock (_gate)
            return _owed.AsSpan(Cell(peer, 0), _parts).ContainsAnyExcept(0L);
    }

    /// <summary>Ends the waiting, now and for good; the first failure is the one that is thrown.</summary>
    public void Fail(Exception exception)
    {
        lock (_gate)
        {
            _failure ??= exception;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Blocks until a part has come from every peer.</summary>
    /// <exception cref="Exception">The failure that was reported.</exception>
    public void WaitForAll(int part, CancellationToken cancellationToken)
    {
        for (var peer = 0; peer < peers; peer++)
            Wait(peer, part, cancellationToken);
    }

    /// <summary>Blocks until a part has come from a peer.</summary>
    /// <exception cref="Exception">The failure that was reported.</exception>
    public void Wait(int peer, int part, CancellationToken cancellationToken)
    {
        if (IsThere(peer, part))
            return;
        using var cancellation = cancellationToken.UnsafeRegister(static pending => ((Pending)pending!).Wake(), this);
        lock (_gate)
        {
            while (!IsThere(peer, part))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_failure is { } failure)
                    throw failure;
                Monitor.Wait(_gate);
            }
        }
    }

    private int Cell(int peer, int part) => (peer * _parts) + part;

    private void Wake()
    {
        lock (_gate)
            Monitor.PulseAll(_gate);
    }
}
