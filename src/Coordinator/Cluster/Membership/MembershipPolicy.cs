namespace Distributed.Coordinator.Cluster.Membership;

/// <summary>A worker as membership sees it.</summary>
/// <param name="Worker">Its number, in order of arrival.</param>
/// <param name="Leaving">Whether it has asked to leave.</param>
internal sealed record Candidate(int Worker, bool Leaving);

/// <summary>What is to be done about membership, and why.</summary>
/// <param name="Workers">The members of a new view in order of rank; null if nothing is to change.</param>
/// <param name="Reason">Why, in a few words.</param>
internal sealed record MembershipDecision(IReadOnlyList<int>? Workers, string Reason);

/// <summary>Who should be a member: a pure function of the connected workers and the time.</summary>
/// <param name="MinimumWorkers">How many must be ready before the first step.</param>
/// <param name="ExpectsOthers">Whether workers may come that the coordinator has not started.</param>
internal sealed record MembershipPolicy(int MinimumWorkers, bool ExpectsOthers)
{
    /// <summary>How long the first step waits, once enough external workers are ready, for others that start at the same moment.</summary>
    public static readonly TimeSpan LastCall = TimeSpan.FromSeconds(2);

    /// <summary>Decides before the first view.</summary>
    /// <param name="ready">The workers that are ready, in order of arrival.</param>
    /// <param name="sinceLastArrival">How long ago the last of them became ready.</param>
    public MembershipDecision First(IReadOnlyList<Candidate> ready, TimeSpan sinceLastArrival)
    {
        var staying = Staying(ready);
        if (staying.Count < MinimumWorkers)
            return new(null, $"{staying.Count} of {MinimumWorkers} workers are ready");
        if (ExpectsOthers && sinceLastArrival < LastCall)
            return new(null, "others may be about to join");
        return new(staying, $"{staying.Count} workers are ready");
    }

    /// <summary>Decides between the steps of a run.</summary>
    /// <param name="current">The current view.</param>
    /// <param name="ready">The workers that are ready, members or not, in order of arrival.</param>
    /// <returns>
    /// A new view if a worker wants to join or leave; members keep their order, and those who join come last. If all members want
    /// to leave while others join, they stay for one more view, to hand the state over.
    /// </returns>
    public static MembershipDecision Next(ClusterView current, IReadOnlyList<Candidate> ready)
    {
        var staying = Staying(ready);
        var members = current.Workers.Where(staying.Contains).Concat(staying.Except(current.Workers)).ToList();
        if (members.Count > 0 && !members.Exists(current.Workers.Contains))
            members.InsertRange(0, current.Workers.Where(worker => ready.Any(candidate => candidate.Worker == worker)));
        if (members.SequenceEqual(current.Workers))
            return new(null, "nobody joins or leaves");
        return new(members, $"{members.Except(current.Workers).Count()} join, {current.Workers.Except(members).Count()} leave");
    }

    private static List<int> Staying(IReadOnlyList<Candidate> ready) =>
        [.. ready.Where(candidate => !candidate.Leaving).Select(candidate => candidate.Worker)];
}
