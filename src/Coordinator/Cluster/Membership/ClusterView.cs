using Distributed.Collectives;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Membership;

/// <summary>Who takes part, from a step on. Ranks are places in the list of workers.</summary>
/// <param name="Generation">Which view.</param>
/// <param name="FirstStep">The first step that these members train together.</param>
/// <param name="Workers">The members' numbers in order of rank.</param>
/// <param name="Shares">Their shares of every batch's microbatches, see <see cref="Shares.RangeOf"/>.</param>
internal sealed record ClusterView(ViewGeneration Generation, long FirstStep, IReadOnlyList<int> Workers, IReadOnlyList<int> Shares)
{
    /// <summary>The view after this one.</summary>
    /// <param name="firstStep">Its first step.</param>
    /// <param name="workers">Its members.</param>
    /// <param name="shares">Their shares.</param>
    public ClusterView Next(long firstStep, IReadOnlyList<int> workers, IReadOnlyList<int> shares) =>
        new(Generation with { Number = Generation.Number + 1 }, firstStep, workers, shares);

    /// <summary>A worker's rank, or -1.</summary>
    public int RankOf(int worker)
    {
        for (var rank = 0; rank < Workers.Count; rank++)
        {
            if (Workers[rank] == worker)
                return rank;
        }

        return -1;
    }
}
