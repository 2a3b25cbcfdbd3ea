using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Dashboard;

/// <summary>Who trains, and who has gone: known from joining and leaving alone, and filled in by what is measured.</summary>
internal sealed class WorkerTable
{
    /// <summary>Rows that are shown; of a thousand workers nobody reads all, and each row costs the page.</summary>
    public const int MostShown = 64;

    /// <summary>Those that have gone are kept in sight, the newest ones.</summary>
    public const int MostGone = 8;

    private readonly List<WorkerRow> _present = [];
    private readonly LinkedList<WorkerRow> _gone = [];
    private int _microbatches; // of a whole batch; 0 while it is not known

    /// <summary>Rises with every change.</summary>
    public int Version { get; private set; }

    /// <summary>Those that are there.</summary>
    public int Present => _present.Count;

    /// <summary>The microbatches of a whole batch; 0 while they are not known.</summary>
    public int Microbatches => _microbatches;

    /// <summary>What is shown: those that are there, then the newest of those that have gone.</summary>
    public IEnumerable<WorkerRow> Rows => _present.Take(MostShown).Concat(_gone);

    /// <summary>Takes an event, if it is about workers.</summary>
    public void Apply(RunEvent runEvent)
    {
        Version++;
        switch (runEvent)
        {
            case WorkerJoined joined:
                Join(joined);
                break;
            case WorkerLost lost:
                Go(lost.Worker, WorkerState.Lost);
                break;
            case WorkerLeft left:
                Go(left.Worker, WorkerState.Left);
                break;
            case RangesChanged ranges:
                Take(ranges);
                break;
            case WorkersMeasured measured:
                Take(measured);
                break;
            default:
                Version--;
                break;
        }
    }

    private void Join(WorkerJoined joined)
    {
        // A name is that of a process: one that comes back is a worker again.
        var returned = _gone.FirstOrDefault(row => row.Name == joined.Worker);
        if (returned is not null)
            _gone.Remove(returned);
        Row(joined.Worker).Address = joined.Address;
    }

    private void Go(string name, WorkerState state)
    {
        var row = _present.Find(row => row.Name == name);
        if (row is null)
            return;
        _present.Remove(row);
        row.State = state;
        _gone.AddFirst(row);
        if (_gone.Count > MostGone)
            _gone.RemoveLast();
    }

    private void Take(RangesChanged ranges)
    {
        _microbatches = ranges.Microbatches;
        foreach (var range in ranges.Ranges)
        {
            if (_present.Find(row => IsNamed(row, range.Worker)) is { } row)
                row.Microbatches = range.Microbatches;
        }
    }

    private void Take(WorkersMeasured measured)
    {
        _microbatches = measured.Workers.Sum(worker => worker.Microbatches);
        foreach (var times in measured.Workers)
        {
            if (_gone.Any(row => row.Name == times.Worker))
                continue; // measured before it went
            var row = Row(times.Worker);
            (row.Microbatches, row.Times) = (times.Microbatches, times);
        }
    }

    // Shares are told by short names: "worker 2" of "worker 2 (host, process 71)".
    private static bool IsNamed(WorkerRow row, string name) =>
        row.Name == name || row.Name.StartsWith(name + " (", StringComparison.Ordinal);

    // The process itself trains alone without joining.
    private WorkerRow Row(string name)
    {
        if (_present.Find(row => row.Name == name) is { } known)
            return known;
        var row = new WorkerRow(name);
        _present.Add(row);
        return row;
    }
}

/// <summary>Whether a worker is there.</summary>
internal enum WorkerState
{
    /// <summary>It takes part.</summary>
    Training = 0,

    /// <summary>It has left in order.</summary>
    Left,

    /// <summary>It has failed.</summary>
    Lost,
}

/// <summary>What is known of a worker.</summary>
/// <param name="name">Its name.</param>
internal sealed class WorkerRow(string name)
{
    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>Whether it is there.</summary>
    public WorkerState State { get; set; }

    /// <summary>Where it can be reached; null for the process itself.</summary>
    public string? Address { get; set; }

    /// <summary>How many microbatches of a whole batch it computes; null while that is not known.</summary>
    public int? Microbatches { get; set; }

    /// <summary>What it did with its time; null while that is not measured.</summary>
    public WorkerTimes? Times { get; set; }
}
