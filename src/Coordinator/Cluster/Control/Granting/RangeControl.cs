using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Membership;

namespace Distributed.Coordinator.Cluster.Control.Granting;

/// <summary>Measures how fast workers are, and decides from time to time whether their ranges should change.</summary>
/// <param name="time">The clock.</param>
internal sealed class RangeControl(TimeProvider time)
{
    /// <summary>From one decision to the next: a change costs a pause, so it has to last.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private const int Remembered = 31; // steps of a worker: an odd number has a middle
    private const int Enough = 8;

    private readonly Dictionary<int, Queue<double>> _recent = [];
    private readonly Dictionary<int, double> _known = []; // by worker: what a microbatch takes
    private readonly HashSet<int> _stragglers = [];
    private long _since = time.GetTimestamp();

    /// <summary>Starts to measure a new view: discards the measurements of the one before.</summary>
    public void Enter()
    {
        _recent.Clear();
        _since = time.GetTimestamp();
    }

    /// <summary>Takes what a worker reports of a step.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="microbatches">How many it computed.</param>
    /// <param name="taken">How long it computed.</param>
    public void Observe(int worker, int microbatches, TimeSpan taken)
    {
        if (microbatches == 0 || taken <= TimeSpan.Zero)
            return;
        if (!_recent.TryGetValue(worker, out var times))
            _recent.Add(worker, times = new Queue<double>());
        times.Enqueue(taken.TotalSeconds / microbatches);
        if (times.Count > Remembered)
            times.Dequeue();
    }

    /// <summary>The shares of a view whose ranges should change; null where they should stay, or it is too early to say.</summary>
    /// <param name="view">The view.</param>
    /// <param name="microbatches">The number of microbatches in a batch.</param>
    public IReadOnlyList<int>? Next(ClusterView view, int microbatches)
    {
        if (!IsTime(view))
            return null;
        _since = time.GetTimestamp();
        return RangePolicy.Next(Times(view.Workers), view.Shares, microbatches);
    }

    /// <summary>The workers of a view that have become slow beside the others, each once.</summary>
    /// <param name="view">The view.</param>
    public IEnumerable<(int Worker, double Slowness)> NewStragglers(ClusterView view)
    {
        if (!IsTime(view))
            yield break;
        var times = Times(view.Workers);
        for (var rank = 0; rank < times.Count; rank++)
        {
            var (worker, slowness) = (view.Workers[rank], RangePolicy.Slowness(times, rank));
            if (slowness < RangePolicy.Straggling)
                _stragglers.Remove(worker);
            else if (_stragglers.Add(worker))
                yield return (worker, slowness);
        }
    }

    /// <summary>The shares of the members of a new view: by measured speed, with newcomers at the median.</summary>
    /// <param name="workers">The members.</param>
    /// <param name="microbatches">The number of microbatches in a batch.</param>
    public IReadOnlyList<int> SharesOf(IReadOnlyList<int> workers, int microbatches)
    {
        var equal = Shares.Equal(workers.Count);
        return workers.Any(_known.ContainsKey) ? RangePolicy.Next(Times(workers), equal, microbatches) ?? equal : equal;
    }

    private bool IsTime(ClusterView view) =>
        time.GetElapsedTime(_since) >= Interval
        && view.Workers.All(worker => _recent.TryGetValue(worker, out var times) && times.Count >= Enough);

    private List<double> Times(IReadOnlyList<int> workers)
    {
        foreach (var (worker, times) in _recent.Where(entry => entry.Value.Count >= Enough))
            _known[worker] = times.Order().ElementAt(times.Count / 2);
        var known = workers.Where(_known.ContainsKey).Select(worker => _known[worker]).Order().ToList();
        return [.. workers.Select(worker => _known.GetValueOrDefault(worker, known.Count > 0 ? known[known.Count / 2] : 1))];
    }
}
