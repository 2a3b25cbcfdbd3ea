using Distributed.Collectives;
using Distributed.Training;

namespace Distributed.Coordinator.Benchmarks.Scaling;

/// <summary>What the plan predicts of a run.</summary>
/// <param name="BytesPerStep">What the worker that sends most gives to others in a step.</param>
/// <param name="AccountedBytes">What the model's numbers take in a worker.</param>
internal sealed record ScalingPlan(long BytesPerStep, long AccountedBytes)
{
    /// <summary>Computes both for workers that share a batch evenly.</summary>
    /// <param name="prepared">The run; all workers together take its batches.</param>
    /// <param name="workers">How many they are.</param>
    internal static ScalingPlan Of(RunPreparation prepared, int workers)
    {
        var configuration = prepared.Configuration;
        var microbatches = (configuration.Options.BatchSize + configuration.Microbatch - 1) / configuration.Microbatch;
        var plan = new ReductionPlan(microbatches, Shares.Equal(workers), Buckets.Of(prepared.Network.Layout, workers));
        var most = plan.Nodes.Max(block => block.Count) * configuration.Microbatch;
        return new ScalingPlan(Enumerable.Range(0, workers).Max(plan.BytesSentBy), ReplicaMemory.Bytes(prepared.Settings, most));
    }

    /// <summary>How many times the work of one worker these can do, if nothing is lost: no more than the cores have room for.</summary>
    /// <param name="workers">How many they are.</param>
    /// <param name="threads">Threads of each.</param>
    /// <param name="cores">Of this machine.</param>
    internal static double Ideal(int workers, int threads, int cores) => Math.Min(workers, Math.Max(1, (double)cores / threads));
}
