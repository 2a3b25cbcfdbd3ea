using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Cluster.Control.Failures;

/// <summary>
/// Tells of lost workers once it is clear what happened to them: the end of a session is noticed before the end of the process that held
/// it, and says less.
/// </summary>
/// <param name="observer">Is told.</param>
/// <param name="time">The clock.</param>
internal sealed class LossReports(IRunObserver observer, TimeProvider time)
{
    private readonly SortedDictionary<int, Loss> _open = [];

    /// <summary>How many workers have been lost so far.</summary>
    public int Count { get; private set; }

    /// <summary>A worker has been lost.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="evidence">What is known.</param>
    public void Lost(MemberSession session, Evidence evidence)
    {
        if (!_open.TryGetValue(session.Worker, out var loss))
        {
            _open.Add(session.Worker, loss = new Loss(session, time.GetTimestamp(), new FailureEvidence()));
            Count++;
        }

        loss.Evidence.Add(evidence);
    }

    /// <summary>More has become known of a worker that was lost; nothing happens if it was not, or has been told of.</summary>
    public void Add(int worker, Evidence evidence)
    {
        if (_open.TryGetValue(worker, out var loss))
            loss.Evidence.Add(evidence);
    }

    /// <summary>The best that is known of a worker that was lost, unless it has been told of.</summary>
    public Evidence? EvidenceOf(int worker) => _open.TryGetValue(worker, out var loss) ? loss.Evidence.Best : null;

    /// <summary>Tells of those of whom nothing more is to be expected.</summary>
    /// <param name="workers">Workers that are there now.</param>
    /// <param name="all">Whether to wait for nothing.</param>
    public void Tell(int workers, bool all = false)
    {
        foreach (var loss in _open.Values.Where(loss => all || IsClear(loss)).ToList())
        {
            _open.Remove(loss.Session.Worker);
            var best = loss.Evidence.Best;
            observer.Report(new WorkerLost(loss.Session.FullName, best.Cause, best.Step, workers));
        }
    }

    private bool IsClear(Loss loss) =>
        loss.Session.Join.LocalNumber == 0
        || loss.Session.IsExpelled
        || loss.Evidence.Best.Weight >= EvidenceWeight.Exited
        || time.GetElapsedTime(loss.Since) >= FailureEvidence.Gathering;

    private sealed record Loss(MemberSession Session, long Since, FailureEvidence Evidence);
}
