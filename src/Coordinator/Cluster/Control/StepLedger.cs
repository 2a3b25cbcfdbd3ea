using Distributed.Collectives;
using Distributed.Objectives;
using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>
/// What has been granted and not yet reported by every member. Entries complete in the order in which they were granted,
/// with the sums of the whole tree.
/// </summary>
internal sealed class StepLedger
{
    private readonly Queue<Entry> _open = new();

    /// <summary>Whether everything granted has been reported.</summary>
    public bool IsEmpty => _open.Count == 0;

    /// <summary>Whether a worker has still to report something that it was granted.</summary>
    /// <param name="worker">The worker.</param>
    public bool Awaits(int worker) => _open.Any(entry => entry.Waiting.Contains(worker));

    /// <summary>Notes a grant.</summary>
    /// <param name="work">What was granted.</param>
    /// <param name="workers">Who must report it.</param>
    public void Granted(PlannedWork work, IEnumerable<int> workers) => _open.Enqueue(new Entry(work, [.. workers]));

    /// <summary>Takes a worker's report.</summary>
    /// <param name="worker">Who reports.</param>
    /// <param name="work">What it has done.</param>
    /// <param name="sums">The sums of its blocks.</param>
    /// <exception cref="InvalidDataException">It was not granted that, or reports it twice.</exception>
    public void Reported(int worker, PlannedWork work, IEnumerable<(TreeNode, BatchSums)> sums)
    {
        var entry = _open.FirstOrDefault(open => open.Work == work);
        if (entry is null || !entry.Waiting.Remove(worker))
            throw new InvalidDataException($"worker {worker} reports {work.Kind} of step {work.Step}, which it was not granted");
        entry.Sums.AddRange(sums);
    }

    /// <summary>Takes the oldest entry if all have reported it.</summary>
    /// <param name="work">What was done.</param>
    /// <param name="sums">The sums over all microbatches.</param>
    /// <exception cref="InvalidDataException">What was reported does not make one tree.</exception>
    public bool TryComplete(out PlannedWork work, out BatchSums sums)
    {
        (work, sums) = (default, default);
        if (!_open.TryPeek(out var entry) || entry.Waiting.Count > 0)
            return false;
        _open.Dequeue();
        (work, sums) = (entry.Work, Complete(entry));
        return true;
    }

    private static BatchSums Complete(Entry entry)
    {
        try
        {
            return LossTree.Complete(entry.Sums);
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException(
                $"the reports of {entry.Work.Kind} of step {entry.Work.Step} do not make one sum: {exception.Message}",
                exception
            );
        }
    }

    private sealed record Entry(PlannedWork Work, HashSet<int> Waiting)
    {
        public List<(TreeNode, BatchSums)> Sums { get; } = [];
    }
}
