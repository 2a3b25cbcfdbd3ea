namespace Distributed.Collectives;

/// <summary>
/// Holds frames of the next step back until this member begins it. A peer may be one step ahead; what it sends waits in
/// the stream's window, which is the bound on it.
/// </summary>
internal sealed class StepGate
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _opened; // created by the first waiter, so that a step without waiters allocates nothing
    private long _step = -1;

    /// <summary>Begins a step and releases its waiters.</summary>
    /// <param name="step">The step; later than all before.</param>
    public void Open(long step)
    {
        TaskCompletionSource? opened;
        lock (_lock)
        {
            _step = step;
            opened = _opened;
            _opened = null;
        }

        opened?.SetResult();
    }

    /// <summary>Whether a step has begun, or is over.</summary>
    /// <param name="step">The step.</param>
    public bool IsOpen(long step)
    {
        lock (_lock)
            return step <= _step;
    }

    /// <summary>Whether a step is the last one that has begun.</summary>
    /// <param name="step">The step.</param>
    public bool IsAt(long step)
    {
        lock (_lock)
            return step == _step;
    }

    /// <summary>Waits until a step has begun.</summary>
    /// <param name="step">The step.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>Whether it is the current one; false if it is over.</returns>
    public async ValueTask<bool> WaitAsync(long step, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task opened;
            lock (_lock)
            {
                if (step <= _step)
                    return step == _step;
                _opened ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                opened = _opened.Task;
            }

            await opened.WaitAsync(cancellationToken);
        }
    }
}
