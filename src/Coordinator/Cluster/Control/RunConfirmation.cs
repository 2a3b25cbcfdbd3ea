using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>The end of a run that has done its work: everybody is dismissed, and members confirm the weights that they end with.</summary>
/// <param name="members">The workers.</param>
/// <param name="progress">Knows the weights.</param>
/// <param name="observer">Is told who has not confirmed them.</param>
/// <param name="time">The clock.</param>
internal sealed class RunConfirmation(MemberRegistry members, RunProgress progress, IRunObserver observer, TimeProvider time)
{
    /// <summary>How long members that have been told that the run is complete may take to confirm it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private long? _since;

    /// <summary>Whether the members have been dismissed.</summary>
    public bool HasBegun => _since is not null;

    /// <summary>Dismisses all workers.</summary>
    public void Begin()
    {
        members.DismissAll(new Dismissal { Complete = true, Interrupted = progress.IsInterrupted });
        _since = time.GetTimestamp();
    }

    /// <summary>Whether the run may end: all members of the last view have confirmed its weights, or have had the time to.</summary>
    /// <param name="view">The last view; null if there was none.</param>
    /// <exception cref="RunFailedException">Members end with different weights.</exception>
    public bool IsComplete(ClusterView? view)
    {
        if (_since is not { } since)
            return false;
        var unconfirmed = members.Unconfirmed(view).ToList();
        if (unconfirmed.Count > 0 && time.GetElapsedTime(since) < Patience)
            return false;
        Compare([.. members.Confirmations(view).Append(progress.WeightsSha256).Distinct()]);
        if (unconfirmed.Count > 0)
        {
            observer.Report(
                new RunWarning(
                    $"{string.Join(", ", unconfirmed.Select(session => session.FullName))} did not confirm the weights within {Patience.TotalSeconds:0} s "
                        + "(overloaded, hanging or cut off); those that did agree"
                )
            );
        }

        return true;
    }

    private static void Compare(List<string> hashes)
    {
        if (hashes.Count > 1)
        {
            throw new RunFailedException(
                $"the workers end with different weights ({string.Join(", ", hashes.Select(hash => hash[..8]))}): "
                    + "a processor or memory fault, or a defect; keep the run folder and report it"
            );
        }
    }
}
