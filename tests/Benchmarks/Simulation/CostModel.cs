using Distributed.Collectives;
using Distributed.Protocol;

namespace Distributed.Benchmarks.Simulation;

/// <summary>
/// The seconds of a step of the direct exchange in closed form, as docs/scaling.md derives them. A bucket leaves when it is complete; from
/// then on each resource has to carry it and all that follow, and the one that needs longest decides.
/// </summary>
internal sealed class CostModel
{
    private const double FrameBytes = WireLimits.FrameElements * (double)sizeof(float);

    private readonly ReductionPlan _plan;
    private readonly Costs _costs;
    private readonly double[] _completions;
    private readonly int _blocks; // of the worker that has most: nobody can go on without it
    private readonly int _foreign; // blocks of the others, as that worker sees them

    private CostModel(ReductionPlan plan, Workload workload, Costs costs)
    {
        (_plan, _costs) = (plan, costs);
        _blocks = MaximumNodes(plan);
        _foreign = plan.Nodes.Count - _blocks;
        _completions = workload.Completions(
            plan,
            Enumerable.Range(0, plan.Workers).MaxBy(rank => plan.RangeOf(rank).End - plan.RangeOf(rank).Start)
        );
    }

    /// <summary>Predicts a step.</summary>
    /// <param name="plan">Who sends what to whom.</param>
    /// <param name="workload">What is computed.</param>
    /// <param name="costs">What it costs.</param>
    public static double Seconds(ReductionPlan plan, Workload workload, Costs costs)
    {
        var model = new CostModel(plan, workload, costs);
        return Math.Max(
            model.ByCompute(),
            plan.Workers == 1 ? 0 : Math.Max(model.ByLine(), costs.HasSpareProcessor ? model.ByProcessor() : 0)
        );
    }

    /// <summary>The frames that the worker with the most blocks sends in a step.</summary>
    /// <param name="plan">Who sends what to whom.</param>
    public static double Messages(ReductionPlan plan) =>
        plan.Buckets.Sum(bucket => (MaximumNodes(plan) + 1) * (plan.Workers - 1) * Math.Ceiling(Slice(plan, bucket) / FrameBytes));

    // A round ends when the last frame has gone through the sender's processor, the latency and the receiver's processor.
    private double ByLine() =>
        BusyUntil(bucket => Math.Max(Sent, Received) * Slice(_plan, bucket) * _costs.LineByte)
        + (2 * (_costs.Latency + (2 * _costs.End(Math.Min(FrameBytes, Slice(_plan, _plan.Buckets[^1]))))))
        + Work(_plan.Buckets[^1]);

    private double ByProcessor() => BusyUntil(Messaging) + (2 * _costs.Latency) + Work(_plan.Buckets[^1]);

    // A thread that shares its processor with the messages does everything one after the other.
    private double ByCompute() =>
        _completions[^1]
        + _plan.Buckets.Sum(Work)
        + (_plan.Workers == 1 ? 0 : 2 * _costs.Latency)
        + (_costs.HasSpareProcessor ? 0 : _plan.Buckets.Sum(Messaging));

    private double BusyUntil(Func<Bucket, double> seconds)
    {
        (double end, double left) = (0, 0);
        for (var bucket = _completions.Length - 1; bucket >= 0; bucket--)
        {
            left += seconds(_plan.Buckets[bucket]);
            end = Math.Max(end, _completions[bucket] + left);
        }

        return end;
    }

    // Slices that the worker sends and receives of each bucket, in both rounds.
    private double Sent => (_blocks + 1) * (_plan.Workers - 1);

    private double Received => _foreign + _plan.Workers - 1;

    private double Messaging(Bucket bucket)
    {
        var slice = Slice(_plan, bucket);
        return (Sent + Received) * ((Math.Ceiling(slice / FrameBytes) * _costs.Message) + (slice * _costs.Byte));
    }

    // The owner's sum over all blocks, and the update.
    private double Work(Bucket bucket) =>
        ((_foreign == 0 ? 0 : _plan.Nodes.Count) * Slice(_plan, bucket) * _costs.Reduce)
        + (bucket.Length * (double)sizeof(float) * _costs.Update);

    private static int MaximumNodes(ReductionPlan plan) => Enumerable.Range(0, plan.Workers).Max(rank => plan.PlacesOf(rank).Count);

    private static double Slice(ReductionPlan plan, Bucket bucket) => (double)bucket.Length * sizeof(float) / plan.Workers;
}
