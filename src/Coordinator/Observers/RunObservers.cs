using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>
/// Tells any number of observers what happens, in the order in which they were added. One that throws is named once on standard error and
/// told nothing more; only a <see cref="RunFailedException"/>, from an observer without which the run would be lost, ends the run.
/// </summary>
/// <param name="errors">Takes a line for every observer that has failed.</param>
internal sealed class RunObservers(TextWriter errors) : IRunObserver, IAsyncDisposable
{
    private readonly List<Listener> _listeners = [];
    private readonly Queue<RunEvent> _events = new();
    private readonly Lock _reporting = new(); // mostly the run's loop alone reports
    private bool _isReporting;
    private TaskChosen? _task;

    /// <summary>
    /// The observers of a run that is kept: first the files, so that what people see is on its way to the disk; then those that show it.
    /// </summary>
    /// <param name="folder">Where the run is kept.</param>
    /// <param name="errors">Takes a line for every observer that has failed.</param>
    /// <param name="others">The observers that show the run.</param>
    internal static RunObservers Of(RunFolder folder, TextWriter errors, params IRunObserver[] others)
    {
        var run = new RunObservers(errors);
        run.Add(new LedgerObserver(folder.Ledger, run)); // before the metrics, which say how far the run has come
        run.Add(new MetricsObserver(folder, run));
        run.Add(new CheckpointObserver(folder, run));
        run.Add(new CheckpointWatch(folder.Path, run, TimeProvider.System));
        run.Add(new MembershipObserver(folder.MembershipPath, TimeProvider.System, run));
        foreach (var other in others)
            run.Add(other);
        return run;
    }

    /// <summary>Adds an observer, which is disposed of with this object.</summary>
    internal void Add(IRunObserver observer) => _listeners.Add(new Listener(observer));

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        using var alone = _reporting.EnterScope();
        if (runEvent is TaskChosen task)
        {
            _task = task; // told right before the training begins: whoever waits for workers is told of that first
            return;
        }

        if (runEvent is RunStarted && _task is not null)
            _events.Enqueue(_task);
        _events.Enqueue(runEvent);
        if (_isReporting)
            return; // an observer reports an event itself: it is delivered after the current one
        _isReporting = true;
        try
        {
            while (_events.TryDequeue(out var next))
                Tell(next);
        }
        finally
        {
            _events.Clear();
            _isReporting = false;
        }
    }

    /// <inheritdoc/>
    public async ValueTask SettleAsync(bool complete)
    {
        foreach (var listener in _listeners)
        {
            if (listener.HasFailed)
                continue;
            try
            {
                await listener.Observer.SettleAsync(complete);
            }
            catch (Exception exception) when (exception is not RunFailedException)
            {
                Drop(listener, exception);
            }
        }
    }

    /// <summary>Disposes of all observers in their order; nothing that one of them throws keeps the others from it.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var listener in _listeners)
        {
            try
            {
                if (listener.Observer is IAsyncDisposable disposable)
                    await disposable.DisposeAsync();
            }
            catch (Exception exception)
            {
                Drop(listener, exception);
            }
        }
    }

    private void Tell(RunEvent runEvent)
    {
        foreach (var listener in _listeners)
        {
            if (listener.HasFailed)
                continue;
            try
            {
                listener.Observer.Report(runEvent);
            }
            catch (Exception exception) when (exception is not RunFailedException)
            {
                Drop(listener, exception);
            }
        }
    }

    private void Drop(Listener listener, Exception exception)
    {
        if (listener.HasFailed)
            return;
        listener.HasFailed = true;
        try
        {
            errors.WriteLine(
                $"warning: {listener.Observer.Name} failed and is left out from here on: {Printable.Of(exception.Message.ReplaceLineEndings(" "))}"
            );
        }
        catch (Exception unwritable) when (unwritable is IOException or ObjectDisposedException)
        {
            // Standard error is gone as well; the run goes on.
        }
    }

    private sealed class Listener(IRunObserver observer)
    {
        public IRunObserver Observer => observer;

        public bool HasFailed { get; set; }
    }
}
