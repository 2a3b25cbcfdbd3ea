namespace Distributed.Collectives;

/// <summary>Counts the elements that each peer still owes in one round of a step; a thread can wait until they are few enough.</summary>
internal sealed class Pending
{
    private readonly object _gate = new();
    private readonly long[] _owed;
    private Exception? _failure;

    public Pending(int peers) => _owed = new long[peers];

    /// <summary>Begins anew, expecting nothing.</summary>
    public void Reset()
    {
        lock (_gate)
            Array.Clear(_owed);
    }

    /// <summary>Expects elements from a peer.</summary>
    public void Expect(int peer, long elements)
    {
        lock (_gate)
            _owed[peer] += elements;
    }

    /// <summary>Counts elements that have come.</summary>
    /// <exception cref="InvalidDataException">More came than were expected.</exception>
    public void Arrived(int peer, long elements)
    {
        lock (_gate)
        {
            if (elements > _owed[peer])
                throw new InvalidDataException($"peer {peer} sent more values than the plan expects of it");
            _owed[peer] -= elements;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Whether a peer still owes elements.</summary>
    public bool IsOwedBy(int peer)
    {
        lock (_gate)
            return _owed[peer] > 0;
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

    /// <summary>Blocks until all have come.</summary>
    /// <exception cref="Exception">The failure that was reported.</exception>
    public void Wait(CancellationToken cancellationToken)
    {
        Span<long> none = stackalloc long[_owed.Length];
        none.Clear();
        Wait(none, cancellationToken);
    }

    /// <summary>Blocks until no peer owes more than a number of elements.</summary>
    /// <param name="atMost">[peers].</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="Exception">The failure that was reported.</exception>
    public void Wait(ReadOnlySpan<long> atMost, CancellationToken cancellationToken)
    {
        using var cancellation = cancellationToken.UnsafeRegister(static pending => ((Pending)pending!).Wake(), this);
        lock (_gate)
        {
            while (!IsMet(atMost))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_failure is { } failure)
                    throw failure;
                Monitor.Wait(_gate);
            }
        }
    }

    private bool IsMet(ReadOnlySpan<long> atMost)
    {
        for (var peer = 0; peer < _owed.Length; peer++)
        {
            if (_owed[peer] > atMost[peer])
                return false;
        }

        return true;
    }

    private void Wake()
    {
        lock (_gate)
            Monitor.PulseAll(_gate);
    }
}
