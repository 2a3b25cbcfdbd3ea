using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Cluster.Reduction;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>Tells everyone who has a part in a piece of work that it may be done.</summary>
/// <param name="members">The workers.</param>
/// <param name="grants">Writes their permissions.</param>
/// <param name="ledger">Notes what has to be reported.</param>
/// <param name="owner">The coordinator's own part in the reduction.</param>
/// <param name="progress">Notes what has to be saved.</param>
/// <param name="unsent">Is told of a worker to which something could not be sent.</param>
internal sealed class WorkGranter(
    MemberRegistry members,
    GrantWriter grants,
    StepLedger ledger,
    IReductionOwner owner,
    RunProgress progress,
    Action<MemberSession> unsent
)
{
    /// <summary>Grants a piece of work; workers are told by <see cref="Send"/> at the latest.</summary>
    /// <param name="work">The work.</param>
    /// <param name="view">Who does it.</param>
    public void Grant(PlannedWork work, ClusterView view)
    {
        var batch = grants.BatchOf(work);
        if (work.Kind != WorkKind.Evaluate)
            owner.Granted(work, batch.MicrobatchCount, batch.Indices.Length);
        if (work.Kind == WorkKind.Snapshot)
        {
            AskForState(work, view);
            return;
        }

        ledger.Granted(work, view.Workers);
        for (var rank = 0; rank < view.Workers.Count; rank++)
            Grant(work, view, rank);
    }

    /// <summary>Sends what has been granted and not been sent yet.</summary>
    public void Send()
    {
        foreach (var worker in members.SendGrants())
            Check(worker, isSent: false);
    }

    private void AskForState(PlannedWork work, ClusterView view)
    {
        progress.Expect(work.Step);
        if (!owner.HoldsState)
        {
            Check(
                view.Workers[0],
                members.Send(view.Workers[0], new CoordinatorMessage { Step = (ulong)work.Step, Snapshot = new Snapshot() })
            );
        }
    }

    private void Grant(PlannedWork work, ClusterView view, int rank)
    {
        var (worker, holdsDataset) = (view.Workers[rank], members.Get(view.Workers[rank]).HoldsDataset);
        Check(worker, members.Grant(worker, grants.Write(work, view.Shares, rank, holdsDataset)));
        foreach (var shard in holdsDataset ? [] : grants.Shards(work, view.Shares, rank))
            Check(worker, members.Send(worker, new CoordinatorMessage { Step = (ulong)work.Step, Shard = shard }));
    }

    // A message that is lost would be waited for without end. If the worker has gone, its session says why, and that weighs more.
    private void Check(int worker, bool isSent)
    {
        if (!isSent)
            unsent(members.Get(worker));
    }
}
