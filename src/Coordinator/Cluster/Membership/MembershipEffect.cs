using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Membership;

/// <summary>What has to be done about membership.</summary>
/// <param name="Reason">Why, in a few words.</param>
internal abstract record MembershipEffect(string Reason);

/// <summary>All views up to a generation end at once; each of these answers when it has left them.</summary>
/// <param name="Generation">The last view that ends.</param>
/// <param name="Workers">Those that have to stop, the coordinator among them where it is a member.</param>
/// <param name="Reason">Why.</param>
internal sealed record FreezeViews(ViewGeneration Generation, IReadOnlyList<int> Workers, string Reason) : MembershipEffect(Reason);

/// <summary>Everything up to a position counts as done by all; what was granted beyond it never happened, and is granted anew.</summary>
/// <param name="Position">The position; null goes back to the newest state that the coordinator has.</param>
/// <param name="Reason">Why.</param>
internal sealed record GoOnAfter(long? Position, string Reason) : MembershipEffect(Reason);

/// <summary>
/// Everything after the newest state that the coordinator has may be wrong: it is forgotten and done again. States of earlier lineages
/// count no more.
/// </summary>
/// <param name="Lineage">The lineage from now on; to be kept before anybody is told.</param>
/// <param name="Reason">Why.</param>
internal sealed record RollBack(uint Lineage, string Reason) : MembershipEffect(Reason);

/// <summary>A view begins.</summary>
/// <param name="Generation">Its generation.</param>
/// <param name="Workers">Its members in order of rank, the coordinator not among them.</param>
/// <param name="Source">A member that holds the state; the coordinator's number if it has it.</param>
/// <param name="Lacking">The members that have to fetch it.</param>
/// <param name="Reason">Why.</param>
/// <param name="Shares">The members' shares of a batch, where the view begins for their sake; null where nobody has chosen any.</param>
internal sealed record BeginView(
    ViewGeneration Generation,
    IReadOnlyList<int> Workers,
    int Source,
    IReadOnlySet<int> Lacking,
    string Reason,
    IReadOnlyList<int>? Shares = null
) : MembershipEffect(Reason);

/// <summary>A newcomer and each of those that are there are to find out whether they reach each other.</summary>
/// <param name="Worker">The newcomer.</param>
/// <param name="Peers">The others.</param>
/// <param name="Reason">Why.</param>
internal sealed record ProbeWorker(int Worker, IReadOnlyList<int> Peers, string Reason) : MembershipEffect(Reason);

/// <summary>A newcomer cannot be a member of a view with the others, and may try again.</summary>
/// <param name="Worker">The newcomer.</param>
/// <param name="Way">Who does not reach whom.</param>
/// <param name="Reason">Why not.</param>
internal sealed record TurnAway(int Worker, (int From, int To) Way, string Reason) : MembershipEffect(Reason);

/// <summary>A worker that has asked for it may go.</summary>
internal sealed record ReleaseWorker(int Worker, string Reason) : MembershipEffect(Reason);

/// <summary>A worker that cannot be a member any more is told so, and ended if it does not end.</summary>
/// <param name="Worker">The worker.</param>
/// <param name="Reason">Why.</param>
/// <param name="MayReturn">Whether it may join again.</param>
internal sealed record ExpelWorker(int Worker, string Reason, bool MayReturn = true) : MembershipEffect(Reason);

/// <summary>All members want to leave and there are no others: the run stops after a last checkpoint.</summary>
internal sealed record StopForLack(string Reason) : MembershipEffect(Reason);

/// <summary>The run cannot go on.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Worker">The worker that was lost last, if that is why.</param>
internal sealed record GiveUpRun(string Reason, int? Worker = null) : MembershipEffect(Reason);
