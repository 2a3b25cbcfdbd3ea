using Distributed.Collectives;
using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control.Granting;

/// <summary>Hands out the run's work in order, a few steps ahead of what is complete, so that no step waits for the coordinator.</summary>
internal sealed class WorkWindow : IDisposable
{
    private readonly RunConfiguration _configuration;
    private readonly int _compareEvery;
    private IEnumerator<PlannedWork> _plan;
    private PlannedWork? _next;
    private long? _end; // the last step, where the run ends early
    private long _saved; // the newest step whose state has been asked for, and not been lost

    /// <summary>Begins at a position.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="position">What has been done; the state of its step is saved.</param>
    /// <param name="compareEvery">Every how many steps members compare their states, see <see cref="WorkPlan.After"/>.</param>
    public WorkWindow(RunConfiguration configuration, long position, int compareEvery)
    {
        (_configuration, _compareEvery) = (configuration, compareEvery);
        LastTrained = _saved = Positions.StepAt(position);
        Position = position;
        _plan = Plan(_end).GetEnumerator();
        Move();
    }

    /// <summary>The last step that was handed out, or the start.</summary>
    public long LastTrained { get; private set; }

    /// <summary>What will have been done when all that was handed out is done, see <see cref="Positions"/>.</summary>
    public long Position { get; private set; }

    /// <summary>Whether all work has been handed out.</summary>
    public bool IsEmpty => _next is null;

    /// <summary>Whether the run ends early.</summary>
    public bool IsCut { get; private set; }

    /// <summary>The next piece of work, if it may go out now.</summary>
    /// <param name="completed">The last complete step.</param>
    /// <param name="stepsAhead">How many steps beyond it may be granted, see <see cref="GrantPace"/>.</param>
    public PlannedWork? Peek(long completed, int stepsAhead) =>
        _next is { Kind: WorkKind.Train } train && train.Step > completed + stepsAhead ? null : _next;

    /// <summary>Takes the next piece of work.</summary>
    public PlannedWork Take()
    {
        var work = _next ?? throw new InvalidOperationException("There is no work left.");
        if (work.Kind == WorkKind.Train)
            LastTrained = work.Step;
        if (work.Kind == WorkKind.Snapshot)
            _saved = work.Step;
        if (work.HasPlace)
            Position = work.Position;
        Move();
        return work;
    }

    /// <summary>The run ends after a step, which is the last that was handed out, or does not end early any more.</summary>
    /// <param name="step">The step; null for the last one of the configuration.</param>
    public void EndAfter(long? step)
    {
        if (_end == step)
            return;
        _end = step;
        if (!IsCut)
            Replace(Plan(_end));
    }

    /// <summary>
    /// Ends the run after the last step that has been handed out, as if it were asked to go no further: it is still evaluated, so that the
    /// run can go on after it, and its state is asked for.
    /// </summary>
    /// <param name="hasMembers">Whether there is anybody to do that; else the run ends where it is.</param>
    /// <returns>Whether that leaves anything undone.</returns>
    public bool Cut(bool hasMembers)
    {
        var isCutShort = Rest().Any(work => work.HasPlace && (work.Kind == WorkKind.Train || !hasMembers));
        IsCut |= isCutShort;
        Replace(hasMembers ? Plan(LastTrained) : []);
        return isCutShort;
    }

    /// <summary>A state that was asked for is lost; the one of the next piece of work is asked for in its place.</summary>
    /// <param name="saved">The newest step whose state has arrived.</param>
    public void AskAgain(long saved) => GoOnAfter(Position, saved);

    /// <summary>Goes on after a position: what was handed out beyond it is handed out again, unless the run ends early.</summary>
    /// <param name="position">What has been done.</param>
    /// <param name="saved">The newest step whose state has arrived; those that were asked for since are asked for again.</param>
    public void GoOnAfter(long position, long saved)
    {
        Position = position;
        LastTrained = Positions.StepAt(position);
        var isLost = _saved > saved && saved < LastTrained; // in its place, the state of now
        _saved = saved;
        Replace(IsCut ? Plan(LastTrained) : Plan(_end, wanted: isLost ? LastTrained : null));
    }

    /// <inheritdoc />
    public void Dispose() => _plan.Dispose();

    private IEnumerable<PlannedWork> Rest()
    {
        for (; _next is { } next; Move())
            yield return next;
    }

    private IEnumerable<PlannedWork> Plan(long? end, long? wanted = null) =>
        WorkPlan.After(_configuration, Position, _saved, _compareEvery, end, wanted);

    private void Replace(IEnumerable<PlannedWork> rest)
    {
        _plan.Dispose();
        _plan = rest.GetEnumerator();
        Move();
    }

    private void Move() => _next = _plan.MoveNext() ? _plan.Current : null;
}
