namespace Distributed.Collectives;

/// <summary>Counts the elements that have still to come, from each peer and in all; a thread can wait for the last one.</summary>
internal sealed class Pending : IDisposable
{
    private readonly ManualResetEventSlim _done = new(initialState: true, spinCount: 100);
    private readonly long[] _perPeer;
    private long _total;
    private Exception? _failure;

    public Pending(int peers) => _perPeer = new long[peers];

    /// <summary>Begins anew, expecting nothing; only while nobody sends.</summary>
    public void Reset()
    {
        Array.Clear(_perPeer);
        _total = 0;
        if (_failure is null)
            _done.Set();
    }

    /// <summary>Expects elements from a peer; only while nobody sends.</summary>
    public void Expect(int peer, long elements)
    {
        if (elements == 0)
            return;
        _perPeer[peer] += elements;
        _total += elements;
        if (_failure is null)
            _done.Reset();
    }

    /// <summary>Counts elements that have come.</summary>
    /// <exception cref="InvalidDataException">More came than were expected.</exception>
    public void Arrived(int peer, long elements)
    {
        if (Interlocked.Add(ref _perPeer[peer], -elements) < 0)
            throw new InvalidDataException($"peer {peer} sent more values than the plan expects of it");
        if (Interlocked.Add(ref _total, -elements) == 0)
            _done.Set();
    }

    /// <summary>Whether a peer still owes elements.</summary>
    public bool IsOwedBy(int peer) => Interlocked.Read(ref _perPeer[peer]) > 0;

    /// <summary>Ends the waiting, now and for good; the first failure is the one that is thrown.</summary>
    public void Fail(Exception exception)
    {
        Interlocked.CompareExchange(ref _failure, exception, null);
        _done.Set();
    }

    /// <summary>Blocks until all have come.</summary>
    /// <exception cref="Exception">The failure that was reported.</exception>
    public void Wait(CancellationToken cancellationToken)
    {
        _done.Wait(cancellationToken);
        if (_failure is { } failure)
            throw failure;
    }

    public void Dispose() => _done.Dispose();
}
