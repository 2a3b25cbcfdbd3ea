using Distributed.Coordinator.Cluster.Control.Failures;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;

namespace Distributed.Coordinator.Cluster.Control.Granting;

/// <summary>What of the run's work is granted: in order, at the pace of the run, and no more of it where the run is to stop.</summary>
/// <param name="window">The work.</param>
/// <param name="pace">How far ahead it is granted.</param>
/// <param name="granter">Writes and sends the grants.</param>
/// <param name="progress">Knows what is complete.</param>
internal sealed class GrantControl(WorkWindow window, GrantPace pace, WorkGranter granter, RunProgress progress) : IDisposable
{
    /// <summary>The next piece of work, if it may be granted now.</summary>
    public PlannedWork? Next =>
        window.Peek(progress.LastStep, pace.StepsAhead(progress.LastStep)) is { } work
        && (work.Kind != WorkKind.Train || progress.MayTrain(work.Step))
            ? work
            : null;

    /// <summary>The step after those that have been granted.</summary>
    public long NextStep => window.LastTrained + 1;

    /// <summary>What will have been done when all that was granted is done, see <see cref="PlannedWork.Position"/>.</summary>
    public long Position => window.Position;

    /// <summary>Whether all work has been granted.</summary>
    public bool IsComplete => window.IsEmpty;

    /// <summary>How long what has been granted will take.</summary>
    public TimeSpan TimeLeft => pace.TimeFor(window.LastTrained - progress.LastStep);

    /// <summary>Grants <see cref="Next"/>; workers are told by <see cref="Send"/> at the latest.</summary>
    /// <param name="view">Who does it.</param>
    public void Grant(ClusterView view) => granter.Grant(window.Take(), view);

    /// <summary>Sends what has been granted and not been sent yet.</summary>
    /// <returns>The workers that have not taken it. Those that have gone are known to be lost soon, with a better reason.</returns>
    public IEnumerable<(MemberSession Session, Evidence Evidence)> Send() =>
        granter
            .Send()
            .Where(session => !session.HasEnded)
            .Select(session => (session, Evidence.Of(session, MemberSession.TakesNothing, EvidenceWeight.Complaint)));

    /// <summary>Follows what the evaluations have decided: the run ends early, or does not any more.</summary>
    public void FollowDecision() => window.EndAfter(progress.StoppedAfter);

    /// <summary>Ends the run after what has been granted.</summary>
    /// <param name="hasMembers">Whether there is anybody to evaluate and to save the last state.</param>
    public void Stop(bool hasMembers)
    {
        if (window.Cut(hasMembers))
            progress.Interrupt(window.LastTrained);
    }

    /// <summary>A state that was asked for is lost, and is asked for again.</summary>
    public void AskAgain() => window.AskAgain(progress.SavedStep);

    /// <summary>What was granted beyond a position never happened, and is granted anew.</summary>
    /// <param name="position">The position.</param>
    public void GoOnAfter(long position)
    {
        FollowDecision();
        window.GoOnAfter(position, progress.SavedStep);
        if (window.IsCut)
            progress.Interrupt(window.LastTrained);
    }

    /// <inheritdoc />
    public void Dispose() => window.Dispose();
}
