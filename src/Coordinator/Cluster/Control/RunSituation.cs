using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Coordinator.Cluster.Membership;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>What a worker was last heard to do.</summary>
/// <param name="Name">The worker's name.</param>
/// <param name="Step">The step that it was in.</param>
/// <param name="Phase">The phase of the step.</param>
/// <param name="Progress">Its own measure of what it has done, which rises as long as something goes on.</param>
/// <param name="WaitsFor">The member that it waited for; empty where it waited for none.</param>
/// <param name="Unheard">How long ago that was.</param>
/// <param name="IsSentTo">Whether messages to it are still queued here.</param>
internal sealed record MemberActivity(
    string Name,
    long Step,
    Phase Phase,
    ulong Progress,
    string WaitsFor,
    TimeSpan Unheard,
    bool IsSentTo = false
)
{
    /// <summary>What a worker's session knows.</summary>
    /// <param name="session">The session.</param>
    /// <param name="time">The time that silence is measured in.</param>
    public static MemberActivity Of(MemberSession session, TimeProvider time) =>
        new(
            session.Name,
            session.Step,
            session.Phase,
            session.Progress,
            session.WaitsFor,
            time.GetElapsedTime(session.LastHeard),
            session.HasUnsent
        );
}

/// <summary>Work that was granted and has not been completed by all.</summary>
/// <param name="Work">The work.</param>
/// <param name="Waiting">Who has not reported it.</param>
internal sealed record OpenWork(PlannedWork Work, IReadOnlyCollection<int> Waiting);

/// <summary>A state that was asked for and has not arrived.</summary>
/// <param name="Step">The step whose state it is.</param>
/// <param name="Worker">Who was asked.</param>
internal sealed record OpenSnapshot(long Step, int Worker);

/// <summary>All that is known at a moment of what a run waits for.</summary>
/// <param name="Membership">Who takes part.</param>
/// <param name="Rules">What membership depends on.</param>
/// <param name="Workers">The connected workers, by number.</param>
/// <param name="Oldest">The oldest work that is not complete, or null.</param>
/// <param name="Snapshot">The oldest snapshot that has not arrived, or null.</param>
/// <param name="Listen">Where workers can join that the coordinator has not started; null if none can.</param>
/// <param name="HangTime">How long a computation may make no progress; null without a bound.</param>
internal sealed record RunSituation(
    MembershipState Membership,
    MembershipRules Rules,
    IReadOnlyDictionary<int, MemberActivity> Workers,
    OpenWork? Oldest,
    OpenSnapshot? Snapshot,
    string? Listen,
    TimeSpan? HangTime
)
{
    /// <summary>The members of the newest view that have not reached the others yet.</summary>
    public IReadOnlyList<int> Unopened =>
        Membership.IsRunning ? [.. Membership.View.Where(worker => !Membership.Participants[worker].HasOpened)] : [];

    /// <summary>
    /// The workers that have something to do that others wait for. While a freeze ends the views there are none: its answers have their
    /// own bound.
    /// </summary>
    public IReadOnlySet<int> Owing
    {
        get
        {
            if (Membership.Freezing is not null)
                return new HashSet<int>();
            IEnumerable<int> owing = [.. Oldest?.Waiting ?? [], .. Unopened];
            return (Snapshot is null ? owing : owing.Append(Snapshot.Worker)).Where(Workers.ContainsKey).ToHashSet();
        }
    }
}
