using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>Where a run goes on after a view that has failed: what counts as done, what is granted anew, and which state is served.</summary>
/// <param name="recorder">What is done.</param>
/// <param name="handover">What was done under an earlier coordinator.</param>
/// <param name="progress">Where the run is.</param>
/// <param name="grants">What is still to be done.</param>
/// <param name="server">The parameter server, or null where the workers own the slices.</param>
/// <param name="saved">Serves the newest state that the coordinator has; null where there is a parameter server.</param>
internal sealed class Continuation(
    WorkRecorder recorder,
    Handover handover,
    RunProgress progress,
    GrantControl grants,
    ParameterServer? server,
    SavedState? saved
)
{
    /// <summary>The run goes on after what one of its members has completed, or else after the newest state that was saved.</summary>
    /// <param name="position">What has been completed; null if nobody holds a state.</param>
    /// <param name="sessions">Those that take part.</param>
    public void GoOnAfter(long? position, IReadOnlyCollection<MemberSession> sessions)
    {
        recorder.EndView(position);
        if (position is not { } reached)
        {
            reached = progress.GoBack();
            saved?.GoBackTo(progress.Latest);
        }
        else
        {
            if (reached > progress.Recorded)
                handover.TakeOver(reached, sessions);
            progress.GoOnAfter(reached);
        }

        grants.GoOnAfter(reached);
    }

    /// <summary>
    /// What was recorded after the newest state that was saved may be wrong: everybody takes that state, and the folder forgets the rest.
    /// </summary>
    /// <param name="back">Why, and the lineage from now on.</param>
    /// <param name="sessions">Those that take part.</param>
    public void RollBack(RollBack back, IReadOnlyCollection<MemberSession> sessions)
    {
        handover.Forget(back.Lineage, sessions);
        recorder.Forget();
        var reached = progress.RollBack(back.Reason);
        saved?.GoBackTo(progress.Latest);
        server?.GoBackTo(progress.Latest, reached);
        grants.GoOnAfter(reached);
    }
}
