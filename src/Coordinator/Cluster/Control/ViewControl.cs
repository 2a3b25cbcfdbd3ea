using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control.Failures;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>The view that workers are in, and how its members share the microbatches of a batch.</summary>
/// <param name="ranges">Measures the workers' speeds.</param>
/// <param name="meter">Measures where the workers' time goes.</param>
/// <param name="standstill">Measures how long training stands still between views.</param>
/// <param name="members">The workers.</param>
/// <param name="microbatches">The number of microbatches in a batch.</param>
/// <param name="samples">The number of samples in a microbatch.</param>
/// <param name="observer">Is told of the workers' times, stragglers, changed shares, and members that have nothing to do.</param>
internal sealed class ViewControl(
    RangeControl ranges,
    TimeMeter meter,
    Standstill standstill,
    MemberRegistry members,
    int microbatches,
    int samples,
    IRunObserver observer
)
{
    private int _mostWorkers; // that have been told of as too many

    /// <summary>The newest view; null before the first.</summary>
    public ClusterView? Current { get; private set; }

    /// <summary>Takes what a worker reports of its work.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="report">What it says.</param>
    public void Observe(int worker, StepReport report)
    {
        if (report.Work != Work.Train)
            return;
        var (computed, taken) = (Reports.Microbatches(report), Reports.ComputeTime(report));
        ranges.Observe(worker, computed, taken);
        meter.Add(worker, (long)computed * samples, taken, Reports.ExchangeTime(report));
        TellTimes(unchecked((long)report.Step), isLast: false);
    }

    /// <summary>Tells where the workers' time has gone, if it is time.</summary>
    /// <param name="step">The last step.</param>
    /// <param name="isLast">Whether training has ended.</param>
    public void TellTimes(long step, bool isLast)
    {
        if (Current is { } view && meter.Next(step, Present(view), isLast) is { } measured)
            observer.Report(measured);
    }

    /// <summary>Looks for shares by which the view would be faster.</summary>
    /// <returns>Null where they should stay as they are, or it is too early to say.</returns>
    public IReadOnlyList<int>? ChooseShares()
    {
        foreach (var straggler in ranges.NewStragglers(Current!))
            observer.Report(new Straggling(members.Get(straggler.Worker).FullName, straggler.Slowness));
        return ranges.Next(Current!, microbatches);
    }

    /// <summary>The microbatches of a batch that a worker has in the newest view; null if it is in none.</summary>
    public (int Start, int End)? PartOf(int worker) =>
        Current?.RankOf(worker) is int rank and >= 0 ? Shares.RangeOf(microbatches, Current.Shares, rank) : null;

    /// <summary>The view is over because something has failed.</summary>
    public void Freeze() => standstill.Begin();

    /// <summary>A view begins.</summary>
    /// <param name="begin">Who takes part.</param>
    /// <param name="firstStep">Its first step.</param>
    public ClusterView Begin(BeginView begin, long firstStep)
    {
        var shares = begin.Shares ?? ranges.SharesOf(begin.Workers, microbatches);
        standstill.Enter(firstStep, hasOthers: Current?.Workers.SequenceEqual(begin.Workers) == false);
        Current = new ClusterView(begin.Generation, firstStep, begin.Workers, shares);
        ranges.Enter();
        if (begin.Shares is not null)
            observer.Report(new RangesChanged(firstStep, microbatches, [.. begin.Workers.Zip(shares, RangeOf)]));
        WarnOfIdle(begin.Workers.Count);
        return Current;
    }

    // Told again only when there are more.
    private void WarnOfIdle(int workers)
    {
        if (workers <= Math.Max(microbatches, _mostWorkers))
            return;
        _mostWorkers = workers;
        observer.Report(
            new RunWarning(
                $"{workers} workers share {microbatches} microbatches, so some have nothing to do; "
                    + "use a larger --batch-size, a smaller --microbatch, or fewer workers"
            )
        );
    }

    // One that was lost is gone before the view that it was in.
    private IEnumerable<MeteredMember> Present(ClusterView view)
    {
        for (var rank = 0; rank < view.Workers.Count; rank++)
        {
            var (start, end) = Shares.RangeOf(microbatches, view.Shares, rank);
            if (members.Find(view.Workers[rank]) is { } session)
                yield return new MeteredMember(session.Worker, session.FullName, end - start);
        }
    }

    private WorkerRange RangeOf(int worker, int share) => new(members.Get(worker).Name, share);
}
