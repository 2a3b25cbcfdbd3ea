using Distributed.Coordinator.Cluster.Control.Failures;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control.Granting;

/// <summary>What has become of a report.</summary>
/// <param name="HasAny">Whether something is recorded now, or disputed. Mostly others of the view have still to report the same.</param>
/// <param name="Refutation">Why it cannot be true; null if it can.</param>
internal readonly record struct Recording(bool HasAny = false, Evidence? Refutation = null);

/// <summary>
/// Puts completed work on record: takes what members report, records what every member of a view has completed, and stops at what they
/// disagree on.
/// </summary>
/// <param name="ledger">Knows what has been granted, and who has not reported it.</param>
/// <param name="progress">Is told what is recorded.</param>
/// <param name="standstill">Ends with a recorded step.</param>
internal sealed class WorkRecorder(StepLedger ledger, RunProgress progress, Standstill standstill)
{
    private CompletedWork? _dispute; // nothing is recorded before it is settled

    /// <summary>Whether everything granted is recorded.</summary>
    public bool IsComplete => ledger.IsEmpty;

    /// <summary>The oldest piece of work that is not complete; null if there is none.</summary>
    public OpenWork? Oldest => ledger.Oldest;

    /// <summary>Whether everything that was granted of earlier steps is recorded.</summary>
    /// <param name="step">The step.</param>
    public bool IsCompleteBefore(long step) => !ledger.HoldsBefore(step);

    /// <summary>Takes a worker's report, and records what every member has completed, as far as they agree.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="report">What it says.</param>
    /// <param name="workers">Members of the view.</param>
    public Recording Take(MemberSession session, StepReport report, int workers)
    {
        try
        {
            ledger.Completed(session.Worker, Reports.WorkOf(report), Reports.FoundBy(report));
            progress.Reported(report);
            return new Recording(Record(workers));
        }
        catch (InvalidDataException exception)
        {
            return new Recording(Refutation: Evidence.Of(session, exception.Message, EvidenceWeight.Confessed));
        }
    }

    /// <summary>Takes what the parameter server has completed, and records it likewise.</summary>
    /// <param name="completed">What it has completed.</param>
    /// <param name="workers">Members of the view.</param>
    public Recording Take(ServerCompleted completed, int workers)
    {
        try
        {
            ledger.Completed(ParameterServer.Member, completed.Work, completed.Found);
            return new Recording(Record(workers));
        }
        catch (InvalidDataException exception)
        {
            return new Recording(Refutation: Evidence.Of(exception));
        }
    }

    /// <summary>Records what is known to be done when a view has ended, which ends no standstill; the rest was never granted.</summary>
    /// <param name="position">What a survivor has completed, see <see cref="PlannedWork.Position"/>; null if none holds a state.</param>
    /// <exception cref="InvalidDataException">No member has told the sums.</exception>
    public void EndView(long? position)
    {
        ledger.EndView(position ?? -1);
        while (Next() is not null) { }
    }

    /// <summary>Forgets what has not been recorded.</summary>
    public void Forget() => ledger.EndView(-1);

    /// <summary>What members disagree on, once.</summary>
    /// <param name="nameOf">A member's name.</param>
    public Disagreed? TakeDispute(Func<int, string> nameOf)
    {
        if (_dispute is not { } dispute)
            return null;
        _dispute = null;
        return new Disagreed([.. dispute.Camps.Select(camp => camp.Members)], DisputeText.CauseOf(dispute, nameOf));
    }

    private bool Record(int workers)
    {
        var hasAny = false;
        while (Next() is { } completed)
        {
            hasAny = true;
            if (completed is { IsDisputed: false, Work.Kind: WorkKind.Train })
                standstill.Completed(completed.Work.Step, workers);
        }

        return hasAny;
    }

    private CompletedWork? Next()
    {
        if (_dispute is not null || ledger.TryTake() is not { } completed)
            return null;
        if (completed.IsDisputed)
            _dispute = completed;
        else if (completed.Work.HasPlace)
            progress.Completed(completed.Work, StepRecord.Read(completed.Camps[0].Found.Span).Sums);
        else if (completed.Camps.Count > 0)
            progress.Agreed(completed.Work.Step, completed.Camps[0].Found);
        return completed;
    }
}
