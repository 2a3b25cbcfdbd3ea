using Distributed.Collectives;
using Distributed.Data;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>
/// The whole of training in one process, without a network: what every distributed run is compared with, bit for bit.
/// </summary>
internal sealed class LocalTrainer : IDisposable
{
    private const int Alone = 0;

    private readonly Dataset _dataset;
    private readonly BatchPlan _batches;
    private readonly int _microbatch;
    private readonly Replica _replica;
    private readonly PrivateMemory _gradients;
    private readonly AllReduce _exchange; // of one member: it hands the gradient to the update
    private readonly TrainingStep _step;
    private readonly StepRows? _rows;
    private readonly SamplesAhead? _ahead;
    private long _reached; // the last step whose samples are being read

    /// <summary>Prepares a trainer whose state is to be filled by the caller.</summary>
    /// <param name="settings">The run's settings.</param>
    /// <param name="dataset">The data.</param>
    /// <param name="batches">What each step trains on.</param>
    /// <param name="threads">Threads that compute.</param>
    public LocalTrainer(TrainingSettings settings, Dataset dataset, BatchPlan batches, int threads)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _dataset = dataset;
        _batches = batches;
        _microbatch = settings.Microbatch;
        _rows = settings.TablesOfRows is { } tables ? new StepRows(tables, dataset.Train) : null;
        _ahead = SamplesAhead.Of(batches, dataset.Train);
        _replica = new Replica(settings, threads);
        _gradients = new PrivateMemory(settings.Network.Layout.Length);
        var plans = new ReductionPlans(Shares.Equal(1), Buckets.Of(settings.Network.Layout, owners: 1));
        _exchange = new AllReduce(new ViewIdentity(Run: 0, default, Alone, ["this process"]), plans, _gradients);
        _step = new TrainingStep(_replica, _exchange, _gradients, Alone);
    }

    /// <summary>The state after the last completed step; step, weights and moments may be set before the first.</summary>
    public TrainingState State => _replica.Weights.State;

    /// <summary>The samples of the last step, by their numbers in the dataset.</summary>
    public ReadOnlySpan<int> Decoded => _replica.Decoded;

    /// <summary>Where the time of the last step or evaluation went.</summary>
    public StepTimeline Timeline => _step.Timeline;

    /// <summary>The learning rate of a step.</summary>
    /// <param name="step">The step, from 1.</param>
    public float LearningRate(long step) => _replica.Weights.LearningRate(step);

    /// <summary>Trains one step: forward, backward, the tree, update.</summary>
    /// <returns>The step's sums, before the update.</returns>
    /// <exception cref="NonFiniteLossException">The loss is infinite or NaN.</exception>
    public BatchSums Step()
    {
        var step = State.Step + 1;
        ReadAhead(step);
        var batch = _batches.Of(step);
        var samples = new IndexedSamples(_dataset.Train, batch.Indices);
        var plan = _step.Train(step, new MemberBatch(batch.MicrobatchCount, samples.Count, samples, _rows?.Of(batch.Indices.Span)));
        return StepRecord.Complete(_exchange, plan).Sums;
    }

    /// <summary>Evaluates a part of the data with the current weights.</summary>
    /// <param name="part">The part.</param>
    /// <returns>The sums over it.</returns>
    /// <exception cref="NonFiniteLossException">The loss is infinite or NaN.</exception>
    public BatchSums Evaluate(DataPart part)
    {
        var set = _dataset.Part(part);
        var batch = Batch.All(set.Count, _microbatch);
        var samples = new IndexedSamples(set, batch.Indices);
        var plan = _step.Evaluate(State.Step, part, new MemberBatch(batch.MicrobatchCount, samples.Count, samples));
        return StepRecord.Complete(_exchange, plan).Sums;
    }

    // Also of the step behind, unless its epoch has another order: an order takes time to make, and one is kept.
    private void ReadAhead(long step)
    {
        if (_ahead is null)
            return;
        var last = _batches.Epoch(step + 1) == _batches.Epoch(step) ? step + 1 : step;
        for (_reached = Math.Max(_reached, step - 1); _reached < last; _reached++)
            _ahead.Reach(_reached + 1, _batches.Of(_reached + 1).Indices);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _replica.Dispose();
        _gradients.Dispose();
    }
}
