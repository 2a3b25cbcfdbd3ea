using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control.Granting;

/// <summary>Grants pieces of work to all who take part in them.</summary>
/// <param name="registry">The workers.</param>
/// <param name="grants">Writes their permissions.</param>
/// <param name="ledger">Notes what has to be reported.</param>
/// <param name="server">The parameter server, or null where the workers own the slices.</param>
/// <param name="progress">Notes what has to be saved.</param>
internal sealed class WorkGranter(
    MemberRegistry registry,
    GrantWriter grants,
    StepLedger ledger,
    ParameterServer? server,
    RunProgress progress
)
{
    private readonly HashSet<MemberSession> _unsent = []; // those to which something could not be sent

    /// <summary>Grants a piece of work; workers are told by <see cref="Send"/> at the latest.</summary>
    /// <param name="work">The work.</param>
    /// <param name="view">Who does it.</param>
    public void Grant(PlannedWork work, ClusterView view)
    {
        var batch = grants.BatchOf(work);
        server?.Granted(work, batch.MicrobatchCount, batch.Indices.Length, grants.TouchedBy(work));
        if (work.Kind == WorkKind.Snapshot)
        {
            AskForState(work, view);
            return;
        }

        var members = server is null ? view.Workers : view.Workers.Append(ParameterServer.Member);
        ledger.Granted(work, members, work.HasPlace ? StepRecord.ChecksumOf(batch.Indices.Span) : 0);
        for (var rank = 0; rank < view.Workers.Count; rank++)
        {
            if (work.HasPlace)
                Grant(work, view, rank);
            else
                Check(view.Workers[rank], registry.Grant(view.Workers[rank], GrantWriter.Comparison(work.Step)));
        }
    }

    /// <summary>Sends what has been granted and not been sent yet.</summary>
    /// <returns>The workers that have not taken something since the last call.</returns>
    public IReadOnlyList<MemberSession> Send()
    {
        foreach (var worker in registry.SendGrants())
            Check(worker, isSent: false);
        MemberSession[] unsent = [.. _unsent];
        _unsent.Clear();
        return unsent;
    }

    private void AskForState(PlannedWork work, ClusterView view)
    {
        progress.ExpectSnapshot(work.Step, server is null ? view.Workers[0] : ParameterServer.Member);
        if (server is null)
        {
            Check(
                view.Workers[0],
                registry.Send(view.Workers[0], new CoordinatorMessage { Step = (ulong)work.Step, Snapshot = new Snapshot() })
            );
        }
    }

    private void Grant(PlannedWork work, ClusterView view, int rank)
    {
        var (worker, holdsDataset) = (view.Workers[rank], registry.Get(view.Workers[rank]).HoldsDataset);
        Check(worker, registry.Grant(worker, grants.Write(work, view.Shares, rank, holdsDataset)));
        foreach (var shard in grants.Shards(work, view.Shares, rank, holdsDataset))
            Check(worker, registry.Send(worker, new CoordinatorMessage { Step = (ulong)work.Step, Shard = shard }));
    }

    // A lost message would block the run for good. If the worker has gone, the end of its session is the stronger evidence.
    private void Check(int worker, bool isSent)
    {
        if (!isSent)
            _unsent.Add(registry.Get(worker));
    }
}
