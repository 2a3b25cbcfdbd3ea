using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Dashboard;

/// <summary>The newest of what happened to a run beside its steps, and where: some are marked on the curves.</summary>
internal sealed class TimeLine
{
    /// <summary>Entries that are kept.</summary>
    public const int Capacity = 200;

    private readonly LinkedList<TimeLineEntry> _entries = [];
    private long _next;
    private bool _hasStarted;

    /// <summary>The number of the oldest entry that is kept.</summary>
    public long First => _next - _entries.Count;

    /// <summary>The number that the next entry gets.</summary>
    public long Next => _next;

    /// <summary>Rises when older entries have been put before those that were there.</summary>
    public int Generation { get; private set; }

    /// <summary>The entries, oldest first.</summary>
    public IEnumerable<TimeLineEntry> Entries => _entries;

    /// <summary>Takes an event, if it is one to be told.</summary>
    /// <param name="runEvent">The event.</param>
    /// <param name="time">When it happened.</param>
    /// <param name="step">The step that was complete then.</param>
    public void Apply(RunEvent runEvent, DateTimeOffset time, long step)
    {
        if (KindOf(runEvent) is not { } kind)
            return;
        _hasStarted |= runEvent is RunStarted;
        var text = runEvent is RunWarning warning ? warning.Message : RunText.Line(runEvent);
        Add(new TimeLineEntry(time, StepOf(runEvent) ?? step, kind, Printable.Of(text ?? "")));
    }

    /// <summary>Puts entries of an earlier coordinator before these.</summary>
    public void AddEarlier(TimeLine earlier)
    {
        var later = _entries.ToList();
        _entries.Clear();
        foreach (var entry in earlier._entries.Concat(later))
            Add(entry);
        Generation++;
    }

    private void Add(TimeLineEntry entry)
    {
        _entries.AddLast(entry);
        _next++;
        if (_entries.Count > Capacity)
            _entries.RemoveFirst();
    }

    // Before the first step workers gather, which is no change of the run.
    private string? KindOf(RunEvent runEvent) =>
        runEvent switch
        {
            RunStarted { FirstStep: > 1 } => "resumed",
            RunStarted => "started",
            WorkerJoined => _hasStarted ? "joined" : "gathered",
            WorkerLeft => "left",
            WorkerLost => "lost",
            TrainingResumed => "changed",
            WentBack or RolledBack => "wentBack",
            RangesChanged => "ranges",
            Straggling => "straggling",
            Waiting => "waiting",
            RunWarning => "warning",
            RunInterrupted => "interrupted",
            _ => null,
        };

    private static long? StepOf(RunEvent runEvent) =>
        runEvent switch
        {
            RunStarted started => started.FirstStep - 1,
            WorkerLost lost => lost.Step,
            TrainingResumed resumed => resumed.Step,
            WentBack back => back.Step,
            RolledBack back => back.Step,
            RangesChanged ranges => ranges.Step,
            RunInterrupted interrupted => interrupted.Step,
            _ => null,
        };
}

/// <summary>Something that happened.</summary>
/// <param name="Time">When.</param>
/// <param name="Step">Where in the training.</param>
/// <param name="Kind">What it was, in a word that the page knows.</param>
/// <param name="Text">What people read.</param>
internal sealed record TimeLineEntry(DateTimeOffset Time, long Step, string Kind, string Text);
