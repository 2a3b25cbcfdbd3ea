using Distributed.Protocol;

namespace Distributed.Coordinator.Tests.Cluster.Simulation;

/// <summary>A view as it is: who has done what in it, dead members included.</summary>
internal sealed class SimulatedView(
    ViewGeneration generation,
    uint lineage,
    long after,
    IReadOnlyList<int> members,
    int source,
    IReadOnlySet<int> lacking
)
{
    public ViewGeneration Generation => generation;

    /// <summary>Of the state that it begins with.</summary>
    public uint Lineage => lineage;

    /// <summary>The position that it begins after.</summary>
    public long After => after;

    /// <summary>The coordinator among them where it is a member.</summary>
    public IReadOnlyList<int> Members => members;

    public int Source => source;

    public IReadOnlySet<int> Lacking => lacking;

    /// <summary>Those who have begun to reach the others.</summary>
    public HashSet<int> Begun { get; } = [];

    /// <summary>The last position that a member has contributed to.</summary>
    public Dictionary<int, long> Contributed { get; } = [];

    /// <summary>The last position that a member has completed.</summary>
    public Dictionary<int, long> Completed { get; } = [];

    public long ReachedBy(int member) => Completed.GetValueOrDefault(member, after);
}
