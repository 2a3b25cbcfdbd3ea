using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Membership;

/// <summary>Something that matters for membership.</summary>
internal abstract record MembershipEvent;

/// <summary>A worker can be a member.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Position">The position whose state it holds from an earlier session, if it does.</param>
/// <param name="Lineage">The lineage of that state, see <see cref="MembershipState.Lineage"/>.</param>
/// <param name="MembersBefore">How many members its last view had; 0 if it was in none.</param>
internal sealed record Arrived(int Worker, long? Position = null, uint Lineage = 0, int MembersBefore = 0) : MembershipEvent;

/// <summary>The coordinator has a newer state.</summary>
/// <param name="Position">Its position.</param>
internal sealed record StateSaved(long Position) : MembershipEvent;

/// <summary>A worker has asked to leave.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="IsUrgent">Whether what it has been granted would take it longer than it can wait.</param>
internal sealed record Leaving(int Worker, bool IsUrgent) : MembershipEvent;

/// <summary>A worker has gone, or must go.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Cause">Why, in a few words.</param>
/// <param name="IsDeath">Whether its process ended or broke down, rather than having been cut off.</param>
/// <param name="Reached">The position that all members are known to have reached by then; what they have done since is not reported yet.</param>
/// <param name="Part">The microbatches [Start, End) of a batch that it had in its view; null if it could have been any.</param>
/// <param name="Granted">The last position that it may have come to; null if that is the one reached.</param>
internal sealed record Lost(int Worker, string Cause, bool IsDeath, long Reached, (int Start, int End)? Part = null, long? Granted = null)
    : MembershipEvent;

/// <summary>A member does not reach another one.</summary>
/// <param name="Worker">Who says so.</param>
/// <param name="Peer">Whom it does not reach.</param>
/// <param name="Generation">In which view.</param>
/// <param name="Cause">Why.</param>
internal sealed record Complained(int Worker, int Peer, ViewGeneration Generation, string Cause) : MembershipEvent;

/// <summary>A worker has tried to reach another one, before the two are members of one view.</summary>
/// <param name="Worker">Who has tried.</param>
/// <param name="Peer">Whom it has tried to reach.</param>
/// <param name="Cause">Why it does not reach it; null if it does.</param>
internal sealed record Probed(int Worker, int Peer, string? Cause) : MembershipEvent;

/// <summary>A member has reached the others, and holds the state that the view begins with.</summary>
internal sealed record Opened(int Worker, ViewGeneration Generation) : MembershipEvent;

/// <summary>A worker has left its view after a freeze.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Generation">The last view that it has left.</param>
/// <param name="Position">What it has completed; null if it holds no training state.</param>
internal sealed record Stopped(int Worker, ViewGeneration Generation, long? Position) : MembershipEvent;

/// <summary>Members that must hold the same state, or must have found the same sums, do not.</summary>
/// <param name="Camps">Those that agree among themselves, the coordinator among them where it is a member.</param>
/// <param name="Cause">Who differs from whom, and in which step.</param>
internal sealed record Disagreed(IReadOnlyList<IReadOnlyList<int>> Camps, string Cause) : MembershipEvent;

/// <summary>A worker that is leaving has done, and every member has reported, what it was granted.</summary>
internal sealed record Drained(int Worker) : MembershipEvent;

/// <summary>The next step has not been granted yet: what is planned can happen before it.</summary>
/// <param name="NextStep">The step.</param>
internal sealed record Boundary(long NextStep) : MembershipEvent;

/// <summary>The members are to share their work anew from the next step on.</summary>
/// <param name="NextStep">The step, which has not been granted yet.</param>
/// <param name="Shares">Their shares of a batch, in order of rank.</param>
internal sealed record SharedAnew(long NextStep, IReadOnlyList<int> Shares) : MembershipEvent;

/// <summary>Time has passed.</summary>
internal sealed record TimePassed : MembershipEvent;
