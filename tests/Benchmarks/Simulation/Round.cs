using Distributed.Collectives;

namespace Distributed.Benchmarks.Simulation;

/// <summary>
/// One round of an exchange, seen by one worker: the reduce-scatter or the all-gather of a <see cref="ReductionPlan"/>. In a bucket's round
/// the worker sends vectors to others, and is through when it has all that it is owed, and has summed it if that is the round's purpose.
/// </summary>
/// <param name="plan">Who sends what to whom.</param>
/// <param name="rank">The worker's place in the plan.</param>
/// <param name="first">The number, in the whole run, of the plan's first worker.</param>
/// <param name="stride">The distance from each of the plan's workers to the next, in the whole run.</param>
/// <param name="isGather">Whether reduced slices travel, not blocks.</param>
internal sealed class Round(ReductionPlan plan, int rank, int first, int stride, bool isGather)
{
    private readonly int _blocks = plan.PlacesOf(rank).Count;
    private readonly int _copies = isGather ? 1 : plan.PlacesOf(rank).Count;
    private readonly int _idle = Enumerable.Range(0, plan.Workers).Count(other => other != rank && plan.PlacesOf(other).Count == 0);

    /// <summary>Whether reduced slices travel, not blocks.</summary>
    public bool IsGather => isGather;

    /// <summary>
    /// The number of vectors that the worker sends for a bucket; some may be empty. One without blocks says so once, with the first bucket.
    /// </summary>
    public int Vectors(int bucket) =>
        (plan.Workers - 1)
        * (
            _copies > 0 ? _copies
            : bucket == 0 ? 1
            : 0
        );

    /// <summary>
    /// One of the vectors for a bucket: where it goes, in numbers of the whole run, and its elements. Each worker begins with the one after
    /// it.
    /// </summary>
    public (int To, int Elements) Vector(int bucket, int index)
    {
        var peer = (rank + 1 + (index / Math.Max(1, _copies))) % plan.Workers;
        return (first + (stride * peer), _copies == 0 ? 0 : plan.SliceOf(bucket, isGather ? rank : peer).Length);
    }

    /// <summary>
    /// Whether an empty vector is sent all the same: it stands for everything that a worker without blocks would contribute.
    /// </summary>
    public bool SendsEmpty => _copies == 0;

    /// <summary>The elements that the worker is sent for a bucket. Nothing from a worker without blocks counts as one element.</summary>
    public long Expected(int bucket)
    {
        var own = Own(bucket);
        if (isGather)
            return plan.Buckets[bucket].Length - own;
        return own == 0 ? 0 : (own * (long)(plan.Nodes.Count - _blocks)) + _idle;
    }

    /// <summary>The elements that the worker reads to sum its slice of a bucket.</summary>
    public long Summed(int bucket) => isGather || plan.Nodes.Count == 1 ? 0 : Own(bucket) * (long)plan.Nodes.Count;

    /// <summary>The elements of the worker's own slice of a bucket.</summary>
    public int Own(int bucket) => plan.SliceOf(bucket, rank).Length;
}
