using Distributed.Protocol;

namespace Distributed.Collectives;

/// <summary>
/// Which views are over in this process. A view ends at any point and from any thread, together with all before it, also with those that
/// have been announced and not been entered yet.
/// </summary>
internal sealed class ViewLifetime : IDisposable
{
    private readonly Lock _lock = new();
    private CancellationTokenSource _stop = new();
    private ViewGeneration _current;
    private ViewGeneration _over;

    /// <summary>Ends with the current view.</summary>
    public CancellationToken Stopping
    {
        get
        {
            lock (_lock)
                return _stop.Token;
        }
    }

    /// <summary>Begins a view, later than all before.</summary>
    /// <param name="generation">The view.</param>
    /// <returns>False if it is over already.</returns>
    public bool TryBegin(ViewGeneration generation)
    {
        lock (_lock)
        {
            if (generation <= _over)
                return false;
            if (generation != _current)
            {
                _stop.Dispose();
                _stop = new CancellationTokenSource();
            }

            _current = generation;
            return true;
        }
    }

    /// <summary>Whether a view is over.</summary>
    /// <param name="generation">The view.</param>
    public bool IsOver(ViewGeneration generation)
    {
        lock (_lock)
            return generation <= _over;
    }

    /// <summary>Ends all views up to one.</summary>
    /// <param name="last">The last of them.</param>
    public void End(ViewGeneration last)
    {
        CancellationTokenSource? stop = null;
        lock (_lock)
        {
            if (last > _over)
                _over = last;
            if (_current <= _over)
                stop = _stop;
        }

        stop?.Cancel();
    }

    /// <summary>Ends all views, of any generation.</summary>
    public void EndAll() => End(new ViewGeneration(uint.MaxValue, uint.MaxValue));

    /// <inheritdoc />
    public void Dispose() => _stop.Dispose();
}
