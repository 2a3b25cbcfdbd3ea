using Distributed.Collectives;
using Distributed.Data;
using Distributed.Kernels.Embeddings;

namespace Distributed.Training;

/// <summary>What one member does in a step or an evaluation, in process as in a worker.</summary>
/// <param name="replica">The member's copy of the model.</param>
/// <param name="exchange">Sums over the members.</param>
/// <param name="memory">Where the member's gradients go.</param>
/// <param name="rank">The member's rank.</param>
internal sealed class TrainingStep(Replica replica, AllReduce exchange, ExchangeMemory memory, int rank)
{
    /// <summary>The member's copy of the model.</summary>
    public Replica Replica => replica;

    /// <summary>How long forward and backward of the last step took.</summary>
    public TimeSpan ComputeTime => Timeline.Of(StepPart.Compute);

    /// <summary>How long this member exchanged and updated in it; waiting for other members left out.</summary>
    public TimeSpan ExchangeTime => Timeline.Of(StepPart.Exchange) + Timeline.Of(StepPart.Update);

    /// <summary>Where the time of the last step or evaluation went.</summary>
    public StepTimeline Timeline => exchange.Timeline;

    /// <summary>Trains a step: when this returns, the replica's state is the one after it.</summary>
    /// <param name="step">The step.</param>
    /// <param name="batch">What it trains on.</param>
    /// <param name="stop">Gives the step up; the state stays the one before it.</param>
    /// <returns>The step's plan.</returns>
    /// <exception cref="NonFiniteLossException">The loss is infinite or NaN.</exception>
    /// <exception cref="Protocol.PeerFailureException">Another member was lost.</exception>
    public ReductionPlan Train(long step, in MemberBatch batch, CancellationToken stop = default)
    {
        Timeline.Begin();
        replica.Weights.Begin(batch.TotalSamples, batch.Touched);
        var plan = exchange.Begin(step, batch.Microbatches, replica.Weights, batch.Touched?.Start ?? 0, stop);
        CheckRange(step, plan, batch);
        replica.ForwardBackward(plan, rank, batch.Samples, memory, exchange, stop);
        StepRecord.Publish(exchange, replica.Sums, StepRecord.ChecksumOf(replica.Decoded));
        exchange.Complete();
        Timeline.Enter(StepPart.Update);
        replica.Weights.Complete();
        Timeline.End();
        return plan;
    }

    /// <summary>Evaluates a batch with the weights after a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="part">The part of the data that is evaluated.</param>
    /// <param name="batch">Its samples.</param>
    /// <param name="stop">Gives it up.</param>
    /// <returns>The plan.</returns>
    public ReductionPlan Evaluate(long step, DataPart part, in MemberBatch batch, CancellationToken stop = default)
    {
        Timeline.Begin();
        var plan = exchange.BeginEvaluation(PositionAfter(step, part), batch.Microbatches, stop);
        CheckRange(step, plan, batch);
        replica.Evaluate(plan, rank, batch.Samples, stop);
        StepRecord.Publish(exchange, replica.Sums, StepRecord.ChecksumOf(replica.Decoded));
        exchange.Complete();
        Timeline.End();
        return plan;
    }

    /// <summary>What has been done once a part has been evaluated after a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="part">The part.</param>
    public static long PositionAfter(long step, DataPart part) =>
        part == DataPart.Holdout ? Positions.AfterHoldout(step) : Positions.AfterEvaluation(step);

    private void CheckRange(long step, ReductionPlan plan, in MemberBatch batch)
    {
        var (start, end) = plan.RangeOf(rank);
        var (first, last) = ((long)start * replica.Microbatch, Math.Min((long)end * replica.Microbatch, batch.TotalSamples));
        if (batch.Samples.Count != Math.Max(0, last - first))
        {
            throw new InvalidDataException(
                $"step {step}: {batch.Samples.Count} samples came for microbatches [{start}, {end}) of {batch.TotalSamples} samples"
            );
        }
    }
}

/// <summary>A member's part of a batch.</summary>
/// <param name="Microbatches">Of the whole batch, over all members.</param>
/// <param name="TotalSamples">Likewise.</param>
/// <param name="Samples">The member's samples.</param>
/// <param name="Touched">
/// The rows of tables that the whole batch takes, where only these are exchanged and updated, and the optimizer leaves the others alone; or null.
/// </param>
internal readonly record struct MemberBatch(int Microbatches, int TotalSamples, ISampleSource Samples, TouchedRows? Touched = null);
