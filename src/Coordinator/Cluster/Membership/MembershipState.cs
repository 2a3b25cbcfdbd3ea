using System.Collections.Immutable;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Membership;

/// <summary>How far a worker has come in taking part.</summary>
internal enum Standing
{
    /// <summary>It is ready and waits to be a member.</summary>
    Waiting = 0,

    /// <summary>It is a member of the newest view.</summary>
    Member,

    /// <summary>It was a member, and still does what it was granted then.</summary>
    Draining,
}

/// <summary>A worker that takes part, or is about to.</summary>
/// <param name="Worker">Its number, in order of arrival.</param>
/// <param name="Standing">How far it has come.</param>
/// <param name="IsLeaving">Whether it has asked to leave.</param>
/// <param name="HasOpened">Whether it has reached the others in the newest view.</param>
/// <param name="HasState">Whether it holds a state of this run that counts: one that a view began with, or a later one.</param>
/// <param name="Brings">The position whose state it has brought along from an earlier session; null if it has none, or holds another.</param>
internal sealed record Participant(int Worker, Standing Standing, bool IsLeaving, bool HasOpened, bool HasState, long? Brings)
{
    /// <summary>How many members the view had that it brings its state from; 0 if there is none.</summary>
    public int MembersBefore { get; init; }

    /// <summary>
    /// The ways between a newcomer and those that were there before it that are being tried, or were found closed; empty for members.
    /// </summary>
    public ImmutableSortedDictionary<(int From, int To), ProbedWay> Ways { get; init; } =
        ImmutableSortedDictionary<(int From, int To), ProbedWay>.Empty;
}

/// <summary>A way from one worker to another that is not known to be open.</summary>
/// <param name="Since">Since when.</param>
/// <param name="Cause">Why it is closed; null while it is being tried.</param>
internal sealed record ProbedWay(TimeSpan Since, string? Cause);

/// <summary>A view that is being ended because something failed.</summary>
/// <param name="Since">When that began.</param>
/// <param name="Cause">Why, in a few words.</param>
/// <param name="IsRollBack">Whether what the members hold may be wrong, so that the run goes back to a state that was agreed on.</param>
/// <param name="Answers">
/// What those who have stopped hold: the position that they completed, or null for those that hold no training state.
/// </param>
internal sealed record Freezing(TimeSpan Since, string Cause, bool IsRollBack, ImmutableSortedDictionary<int, long?> Answers);

/// <summary>Members that do not reach each other though the coordinator reaches both.</summary>
/// <param name="Since">When the first of them said so.</param>
/// <param name="Cause">What it said.</param>
/// <param name="Links">The links, from the smaller number to the larger one.</param>
internal sealed record DeadLinks(TimeSpan Since, string Cause, ImmutableSortedSet<(int, int)> Links);

/// <summary>
/// Members that died in the middle of a step that they had begun. One sample that kills whoever computes it is in the part of each of them;
/// machines that fail by chance have any parts, and fail elsewhere, too.
/// </summary>
/// <param name="Reached">
/// The first position after which the step may be. Reports lag behind what is done, by as much as is granted, so that a death has a range of steps;
/// several are of one step if their ranges have one in common.
/// </param>
/// <param name="Granted">The last one.</param>
/// <param name="Parts">The microbatches [Start, End) of each.</param>
/// <param name="AreAmongAccidents">Whether workers have died at other steps, or outside of any.</param>
internal sealed record Losses(long Reached, long Granted, ImmutableList<(int Start, int End)> Parts, bool AreAmongAccidents)
{
    /// <summary>Before any.</summary>
    public static Losses None { get; } = new(-1, -1, [], AreAmongAccidents: false);

    /// <summary>
    /// Whether the step is to blame: so many had a microbatch in common, of which those with none count with the one they would have begun with.
    /// </summary>
    public bool AreNoAccident =>
        Parts.Any(one => Parts.Count(other => other.Start <= one.Start && one.Start < Math.Max(other.End, other.Start + 1)) >= Most);

    private int Most => AreAmongAccidents ? MembershipRules.MostLossesAmongAccidents : MembershipRules.MostLossesOfAStep;

    /// <summary>With one more.</summary>
    public Losses And(Lost lost)
    {
        var part = lost.Part ?? (0, int.MaxValue);
        var granted = Math.Max(lost.Reached, lost.Granted ?? lost.Reached);
        var (first, last) = (Math.Max(Reached, lost.Reached), Math.Min(Granted, granted));
        return first <= last
            ? new Losses(first, last, Parts.Add(part), AreAmongAccidents)
            : new Losses(lost.Reached, granted, [part], AreAmongAccidents || !Parts.IsEmpty);
    }
}

/// <summary>How often members have held different states.</summary>
/// <param name="Unnamed">How often no majority said whose is wrong.</param>
/// <param name="Saved">The position that the run went back to last.</param>
/// <param name="Times">How often in a row it went back there.</param>
internal sealed record Disputes(int Unnamed, long Saved, int Times);

/// <summary>What membership depends on apart from what happens.</summary>
/// <param name="MinimumWorkers">How many must be ready before the first step.</param>
/// <param name="ExpectsOthers">Whether workers may come that the coordinator has not started.</param>
/// <param name="CoordinatorHoldsState">Whether the coordinator is a member itself, and the one that holds the training state.</param>
/// <param name="JoinTime">How long the first step waits for the minimum.</param>
/// <param name="WaitTime">How long a run that has lost all members waits for others.</param>
internal sealed record MembershipRules(
    int MinimumWorkers,
    bool ExpectsOthers,
    bool CoordinatorHoldsState,
    TimeSpan JoinTime,
    TimeSpan WaitTime
)
{
    /// <summary>How long the first step waits, once enough external workers are ready, for others that start at the same moment.</summary>
    public static readonly TimeSpan LastCall = TimeSpan.FromSeconds(2);

    /// <summary>The same where a worker has brought the state of a run that was under way, and not all of its view are back.</summary>
    public static readonly TimeSpan ReturnCall = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How long a member that is alive may take to leave its step. It looks at every layer of every microbatch, so that one that takes
    /// longer hangs.
    /// </summary>
    public static readonly TimeSpan FreezeTime = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long complaints about links are gathered before they are judged: both ends should have noticed by then, and a peer that has
    /// died is known by other means.
    /// </summary>
    public static readonly TimeSpan ComplaintTime = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long an answer to a probe may take, which is bounded in those that are asked. A newcomer that has not answered by then cannot be
    /// a member; that a member has not is no evidence against the newcomer.
    /// </summary>
    public static readonly TimeSpan ProbeTime = TimeSpan.FromSeconds(10);

    /// <summary>How many times a step may lose members that had begun it, and had a microbatch in common.</summary>
    public const int MostLossesOfAStep = 3;

    /// <summary>The same where workers have died elsewhere as well, so that a step which takes long meets several by chance.</summary>
    public const int MostLossesAmongAccidents = 10;

    /// <summary>The rules that follow from a run's options.</summary>
    /// <param name="cluster">The options.</param>
    /// <param name="coordinatorHoldsState">Whether the coordinator is a member itself.</param>
    public static MembershipRules Of(ClusterOptions cluster, bool coordinatorHoldsState)
    {
        var minimum = cluster.MinWorkers ?? Math.Max(1, cluster.Workers);
        return new MembershipRules(
            minimum,
            ExpectsOthers: cluster.Listen is not null,
            coordinatorHoldsState,
            // Local workers that do not come are known to have exited; others may never come.
            JoinTime: minimum > cluster.Workers ? TimeSpan.FromSeconds(cluster.JoinTimeout) : TimeSpan.MaxValue,
            WaitTime: TimeSpan.FromSeconds(cluster.WaitForWorkers)
        );
    }

    /// <summary>How many times the run may go back without knowing whose state was wrong.</summary>
    public const int MostUnnamedDisputes = 1;

    /// <summary>How many times in a row it may go back to the same state.</summary>
    public const int MostRollBacks = 3;
}

/// <summary>
/// Who takes part, and since when: the whole state of <see cref="MembershipReducer"/>, a value. The coordinator itself has the number
/// <see cref="Coordinator"/> where it holds the training state, and is then always a member.
/// </summary>
/// <param name="Generation">The newest view that was announced; it only rises.</param>
/// <param name="Over">The newest view that has been ended because something failed.</param>
/// <param name="View">The members of the newest view in order of rank, the coordinator not among them; empty if there are none.</param>
/// <param name="Participants">The workers that are ready, by number.</param>
/// <param name="Freezing">Set while the newest view is being ended.</param>
/// <param name="DeadLinks">Set while complaints about links are gathered, and judged with the answers to a freeze.</param>
/// <param name="Saved">The position of the newest state that the coordinator has.</param>
/// <param name="Since">Since when there has been no view, while there is none.</param>
/// <param name="LastArrival">When a worker became ready last.</param>
/// <param name="HasTrained">Whether there has been a view.</param>
/// <param name="Losses">The last ones.</param>
/// <param name="Lineage">How often the run has gone back because states differed, over all coordinators: only states of the newest count.</param>
/// <param name="Disputes">What is known of this coordinator's time.</param>
internal sealed record MembershipState(
    ViewGeneration Generation,
    ViewGeneration Over,
    ImmutableList<int> View,
    ImmutableSortedDictionary<int, Participant> Participants,
    Freezing? Freezing,
    DeadLinks? DeadLinks,
    long Saved,
    TimeSpan Since,
    TimeSpan LastArrival,
    bool HasTrained,
    Losses Losses,
    uint Lineage,
    Disputes Disputes
)
{
    /// <summary>The coordinator's number among the members, where workers count from 1.</summary>
    public const int Coordinator = 0;

    /// <summary>Before anybody has come.</summary>
    /// <param name="epoch">The coordinator's epoch.</param>
    /// <param name="saved">The position of the state that it begins with.</param>
    /// <param name="lineage">How often the run has gone back because states differed.</param>
    public static MembershipState Empty(uint epoch, long saved, uint lineage = 0) =>
        new(
            new ViewGeneration(epoch, 0),
            Over: new ViewGeneration(epoch, 0), // and with it all views of earlier coordinators
            [],
            ImmutableSortedDictionary<int, Participant>.Empty,
            Freezing: null,
            DeadLinks: null,
            saved,
            Since: TimeSpan.Zero,
            LastArrival: TimeSpan.Zero,
            HasTrained: false,
            Losses.None,
            lineage,
            new Disputes(0, -1, 0)
        );

    /// <summary>Whether steps may be granted.</summary>
    public bool IsRunning => View.Count > 0 && Freezing is null;

    /// <summary>Whether the members of the next view would be others than those of this one.</summary>
    public bool WantsChange => Participants.Values.Any(one => one is { Standing: Standing.Member, IsLeaving: true } || IsCandidate(one));

    /// <summary>
    /// Whether a worker can be a member of the next view: it waits, and reaches, and is reached by, all that are there. Those that have
    /// gone in the meantime do not matter.
    /// </summary>
    public bool IsCandidate(Participant one) =>
        one is { Standing: Standing.Waiting, IsLeaving: false } && !one.Ways.Keys.Any(way => IsBetweenPresent(way));

    /// <summary>Whether both ends of a way take part.</summary>
    public bool IsBetweenPresent((int From, int To) way) => Participants.ContainsKey(way.From) && Participants.ContainsKey(way.To);

    /// <summary>Those whose views a freeze ends.</summary>
    public IEnumerable<Participant> Engaged => Participants.Values.Where(one => one.Standing != Standing.Waiting);
}
