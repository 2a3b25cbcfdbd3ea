using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>Hands out the run's work in order, a few steps ahead of what is complete, so that no step waits for the coordinator.</summary>
internal sealed class WorkWindow : IDisposable
{
    private readonly long _start;
    private IEnumerator<PlannedWork> _plan;
    private PlannedWork? _next;
    private long _lastSnapshot;

    /// <summary>Begins at a start.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="start">Steps completed before.</param>
    public WorkWindow(RunConfiguration configuration, long start)
    {
        _start = LastTrained = _lastSnapshot = start;
        _plan = WorkPlan.From(configuration, start).GetEnumerator();
        Move();
    }

    /// <summary>The last step that was handed out, or the start.</summary>
    public long LastTrained { get; private set; }

    /// <summary>Whether all work has been handed out.</summary>
    public bool IsEmpty => _next is null;

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
            _lastSnapshot = work.Step;
        Move();
        return work;
    }

    /// <summary>Ends the run after what has been handed out; its state is still asked for.</summary>
    /// <returns>Whether that leaves anything undone.</returns>
    public bool Cut()
    {
        var isCutShort = _next is { Kind: not WorkKind.Snapshot };
        _plan.Dispose();
        PlannedWork[] rest = LastTrained > _start && _lastSnapshot < LastTrained ? [new(WorkKind.Snapshot, LastTrained)] : [];
        _plan = rest.AsEnumerable().GetEnumerator();
        Move();
        return isCutShort;
    }

    /// <inheritdoc />
    public void Dispose() => _plan.Dispose();

    private void Move() => _next = _plan.MoveNext() ? _plan.Current : null;
}
