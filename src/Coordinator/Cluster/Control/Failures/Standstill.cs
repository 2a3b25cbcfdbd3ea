using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Cluster.Control.Failures;

/// <summary>
/// Measures how long training stands still: from the moment at which a view is ended because something failed, or from the last step before
/// a planned change of members, until the first step of the next view is complete.
/// </summary>
/// <param name="observer">Is told.</param>
/// <param name="time">The clock.</param>
internal sealed class Standstill(IRunObserver observer, TimeProvider time)
{
    private long? _since;
    private bool _isLoss;
    private bool _isFrozen; // what is still recorded of the view that ends is not the end of the standstill
    private long _change = -1; // the first step with other members

    /// <summary>Something has failed: training stands still from now on.</summary>
    public void Begin()
    {
        _since ??= time.GetTimestamp();
        (_isLoss, _isFrozen) = (true, true);
    }

    /// <summary>A view begins.</summary>
    /// <param name="firstStep">Its first step.</param>
    /// <param name="hasOthers">Whether its members are others than those before.</param>
    public void Enter(long firstStep, bool hasOthers)
    {
        _isFrozen = false;
        if (hasOthers)
            _change = firstStep;
    }

    /// <summary>A step is complete.</summary>
    /// <param name="step">The step.</param>
    /// <param name="workers">Workers that trained it.</param>
    public void Completed(long step, int workers)
    {
        if (_isFrozen)
            return;
        if (_since is { } since)
            observer.Report(new TrainingResumed(step, time.GetElapsedTime(since).TotalSeconds, workers, _isLoss));
        _since = null;
        if (step == _change - 1)
            (_since, _isLoss) = (time.GetTimestamp(), false);
    }
}
