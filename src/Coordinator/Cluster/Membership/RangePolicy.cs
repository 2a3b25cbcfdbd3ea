using Distributed.Collectives;

namespace Distributed.Coordinator.Cluster.Membership;

/// <summary>Which part of a batch each worker should compute, given how fast they are: pure functions. No range changes a result.</summary>
internal static class RangePolicy
{
    /// <summary>
    /// How much of the time that the slowest worker computes must be won for ranges to change: more than the noise of a machine that does
    /// other things too, and worth the pause in which the members of the new view reach each other.
    /// </summary>
    public const double LeastGain = 0.15;

    /// <summary>A worker that takes this many times as long for a microbatch as the median worker is a straggler.</summary>
    public const double Straggling = 1.5;

    /// <summary>Decides whether ranges should change.</summary>
    /// <param name="times">What a microbatch takes, by rank; in any unit, positive.</param>
    /// <param name="shares">The shares now.</param>
    /// <param name="microbatches">The number of microbatches in a batch.</param>
    /// <returns>The number of microbatches of each worker as its share, or null where the gain would be too small.</returns>
    public static IReadOnlyList<int>? Next(IReadOnlyList<double> times, IReadOnlyList<int> shares, int microbatches)
    {
        var best = Fastest(times, microbatches);
        return Longest(times, best, microbatches) < (1 - LeastGain) * Longest(times, shares, microbatches) ? best : null;
    }

    /// <summary>
    /// The shares with which the last worker is done soonest: each microbatch goes to the worker that would be done with it first.
    /// Each worker keeps one if there are enough, so that its speed can be measured.
    /// </summary>
    /// <param name="times">What a microbatch takes, by rank; in any unit, positive.</param>
    /// <param name="microbatches">The number of microbatches in a batch.</param>
    public static IReadOnlyList<int> Fastest(IReadOnlyList<double> times, int microbatches)
    {
        var shares = new int[times.Count];
        var next = new PriorityQueue<int, (double Done, int Rank)>();
        for (var rank = 0; rank < shares.Length; rank++)
        {
            shares[rank] = microbatches >= shares.Length ? 1 : 0;
            next.Enqueue(rank, (times[rank] * (shares[rank] + 1), rank));
        }

        for (var left = microbatches - shares.Sum(); left > 0; left--)
        {
            var rank = next.Dequeue();
            shares[rank]++;
            next.Enqueue(rank, (times[rank] * (shares[rank] + 1), rank));
        }

        return shares;
    }

    /// <summary>The time of a worker's microbatch relative to the median worker's.</summary>
    /// <param name="times">What a microbatch takes, by rank.</param>
    /// <param name="rank">The worker.</param>
    public static double Slowness(IReadOnlyList<double> times, int rank) => times[rank] / times.Order().ElementAt((times.Count - 1) / 2);

    private static double Longest(IReadOnlyList<double> times, IReadOnlyList<int> shares, int microbatches) =>
        Enumerable
            .Range(0, shares.Count)
            .Max(rank => Shares.RangeOf(microbatches, shares, rank) is var (start, end) ? times[rank] * (end - start) : 0);
}
