using CsCheck;
using Distributed.Benchmarks.Simulation;
using Distributed.Collectives;
using Distributed.Model;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Shared.Tests.Simulation;

/// <summary>Steps that can be computed by hand, and what the plan says of any step.</summary>
public sealed class StepSimulatorTests
{
    private const int Slice = 1024; // elements
    private const double SliceBytes = Slice * sizeof(float);
    private const double Latency = 100;

    private static readonly Costs Nothing = new(0, 0, 0, 0, 0, 0, HasSpareProcessor: true);

    // A slice takes a second of the line.
    private static readonly Costs Line = Nothing with { Latency = Latency, LineByte = 1 / SliceBytes };

    [Fact]
    public void Two_workers_pay_each_round_one_latency_and_one_slice() =>
        Assert.Equal(2 * (Latency + 1), Seconds(workers: 2, microbatches: 2, Line), 1e-9);

    // In each round all send to the next one first, and then to the one after it: no line is idle and none is asked twice.
    [Fact]
    public void Three_workers_pay_each_round_one_latency_and_two_slices() =>
        Assert.Equal(2 * (Latency + 2), Seconds(workers: 3, microbatches: 3, Line), 1e-9);

    // Eight microbatches: one block, two, and two. Worker 0 is sent two blocks by each of the others, which takes four seconds, and worker
    // 1 gets its last one then, too; the all-gather takes two.
    [Fact]
    public void A_further_block_takes_the_line_once_more() =>
        Assert.Equal((2 * Latency) + 4 + 2, Seconds(workers: 3, microbatches: 8, Line), 1e-9);

    [Fact]
    public void The_processors_of_both_ends_take_their_time_for_messages_and_bytes()
    {
        var costs = Nothing with { Latency = Latency, Message = 3, Byte = 2 / SliceBytes };
        Assert.Equal(2 * (Latency + (2 * (3 + 2))), Seconds(workers: 2, microbatches: 2, costs), 1e-9);
    }

    [Fact]
    public void A_slice_of_several_frames_is_several_messages()
    {
        const int frames = 3;
        var plan = Plan(workers: 2, microbatches: 2, [2 * frames * WireLimits.FrameElements]);
        var step = StepSimulator.Run(Exchange.Direct(plan), Computing(plan, 0), Nothing with { Latency = Latency, Message = 1 });
        Assert.All(step.Messages, messages => Assert.Equal(2 * frames, messages));
        Assert.Equal(2 * (Latency + frames + 1), step.Seconds, 1e-9); // they arrive long after all have left, one a second
    }

    // Each of two owners reads two blocks of its slice, and then both apply two slices; the first one while the second is on its way.
    [Fact]
    public void The_compute_thread_sums_and_updates()
    {
        var costs = Line with { Reduce = 1 / SliceBytes, Update = 0.5 / SliceBytes };
        Assert.Equal((2 * (Latency + 1)) + 2 + 0.5, Seconds(workers: 2, microbatches: 2, costs), 1e-9);
    }

    // Half of the gradient is complete after two thirds of the pass; its exchange is over before the pass is.
    [Fact]
    public void What_leaves_early_is_hidden_behind_the_backward_pass()
    {
        var plan = Plan(workers: 2, microbatches: 2, [2 * Slice, 2 * Slice]);
        Assert.Equal(3000 + (2 * (Latency + 1)), StepSimulator.Run(Exchange.Direct(plan), Computing(plan, 3000), Line).Seconds, 1e-9);
    }

    // Two buckets, two rounds, two ends: eight seconds of messages that the one processor does beside the pass.
    [Fact]
    public void Without_a_spare_processor_messages_hold_the_pass_up()
    {
        var plan = Plan(workers: 2, microbatches: 2, [2 * Slice, 2 * Slice]);
        var costs = Nothing with { Message = 1, HasSpareProcessor = false };
        Assert.Equal(3000 + 8, StepSimulator.Run(Exchange.Direct(plan), Computing(plan, 3000), costs).Seconds, 1e-9);
    }

    [Fact]
    public void One_worker_computes_and_updates_alone()
    {
        var costs = Line with { Message = 7, Update = 1 / SliceBytes, Reduce = 5 };
        var plan = Plan(workers: 1, microbatches: 3, [Slice]);
        var step = StepSimulator.Run(Exchange.Direct(plan), Computing(plan, 10), costs);
        Assert.Equal((3 * 10) + 1, step.Seconds, 1e-9);
        Assert.Equal(0, step.Messages[0]);
    }

    [Fact]
    public void Every_worker_sends_the_bytes_that_the_plan_predicts() =>
        Plans.Sample(plan =>
        {
            var step = StepSimulator.Run(Exchange.Direct(plan), Computing(plan, 1), Line with { Message = 0.1, Byte = 1e-6 });
            Assert.Equal(Enumerable.Range(0, plan.Workers).Select(plan.BytesSentBy), step.BytesSent);
            Assert.True(step.Seconds >= step.BytesSent.Max() / SliceBytes, "no line is faster than it is");
        });

    /// <summary>A workload of a plan's length.</summary>
    internal static Workload Computing(ReductionPlan plan, double microbatch) =>
        new("drawn", ParameterLayout.Of([("vector", (IReadOnlyList<int>)[plan.Buckets[0].End])]), microbatch, LargestPass: 1);

    private static readonly Gen<ReductionPlan> Plans =
        from lengths in Gen.Int[1, 300].Array[1, 3]
        from shares in Gen.Int[0, 3].Array[1, 7].Where(shares => shares.Sum() > 0)
        from microbatches in Gen.Int[1, 20]
        select new ReductionPlan(microbatches, shares, BucketsOf([.. lengths.Select(length => length * SliceRange.Alignment)]));

    private static double Seconds(int workers, int microbatches, Costs costs)
    {
        var plan = Plan(workers, microbatches, [workers * Slice]);
        return StepSimulator.Run(Exchange.Direct(plan), Computing(plan, 0), costs).Seconds;
    }

    private static ReductionPlan Plan(int workers, int microbatches, int[] lengths) =>
        new(microbatches, Shares.Equal(workers), BucketsOf(lengths));

    // The first one lies last in the vector.
    private static List<Bucket> BucketsOf(int[] lengths)
    {
        List<Bucket> buckets = [];
        var end = lengths.Sum();
        foreach (var length in lengths)
        {
            buckets.Add(new Bucket(end - length, end));
            end -= length;
        }

        return buckets;
    }
}
