using Distributed.Collectives;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>
/// One copy of the model with all that a member needs to take its part in a step: the state, the memory of the passes, and
/// threads. One thread at a time may use it.
/// </summary>
public sealed class Replica : IDisposable
{
    private readonly TrainingSettings _settings;
    private readonly ComputeTeam _team;
    private readonly NodeComputation _computation;
    private readonly List<(TreeNode Block, BatchSums Sums)> _sums = [];

    /// <summary>Reserves the memory of a replica.</summary>
    /// <param name="settings">The run's settings.</param>
    /// <param name="threads">Threads that compute, the caller's included.</param>
    /// <param name="holdsMoments">False where another process updates and only the weights arrive here.</param>
    public Replica(TrainingSettings settings, int threads, bool holdsMoments = true)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _team = new ComputeTeam(threads);
        _computation = new NodeComputation(settings, _team);
        Weights = new WeightUpdater(settings, _team, holdsMoments);
    }

    /// <summary>The training state and what updates it.</summary>
    public WeightUpdater Weights { get; }

    /// <summary>The sums of the blocks that were computed last.</summary>
    public IReadOnlyList<(TreeNode Block, BatchSums Sums)> Sums => _sums;

    /// <summary>The threads that compute.</summary>
    internal ComputeTeam Team => _team;

    /// <summary>Keeps the threads that compute, of which the caller is one, to some processors.</summary>
    /// <param name="processors">Some of <see cref="ThreadAffinity.Allowed"/>.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">The system refuses.</exception>
    public void Pin(IEnumerable<int> processors) => _team.Pin(processors);

    /// <summary>Runs forward and backward over a member's blocks of a step.</summary>
    /// <param name="plan">The step's plan.</param>
    /// <param name="rank">The member.</param>
    /// <param name="samples">The samples of the member's range.</param>
    /// <param name="memory">Receives the gradient sum of each block, in the order of the plan. <see cref="Sums"/> has their losses.</param>
    /// <param name="progress">
    /// Is told as parts of the gradients are completed in all blocks; null for nobody. Updates that follow from it are done when this
    /// returns.
    /// </param>
    /// <exception cref="NonFiniteLossException">A loss is infinite or NaN; nobody has been told of that block's gradient.</exception>
    public void ForwardBackward(
        ReductionPlan plan,
        int rank,
        ISampleSource samples,
        PublishedMemory memory,
        IBackwardProgress? progress = null
    )
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(memory);
        Begin();
        _team.BeginDeferring();
        try
        {
            ForwardBackwardBlocks(plan, rank, samples, memory, progress);
        }
        finally
        {
            _team.EndDeferring();
        }
    }

    /// <summary>
    /// Computes the loss over a member's blocks of the test set, with the current weights; <see cref="Sums"/> has the result.
    /// </summary>
    /// <param name="plan">The plan over the test set's microbatches.</param>
    /// <param name="rank">The member.</param>
    /// <param name="samples">The samples of the member's range.</param>
    /// <exception cref="NonFiniteLossException">A loss is infinite or NaN.</exception>
    public void Evaluate(ReductionPlan plan, int rank, ISampleSource samples)
    {
        ArgumentNullException.ThrowIfNull(plan);
        Begin();
        var origin = plan.RangeOf(rank).Start;
        var (first, count) = plan.PlacesOf(rank);
        for (var i = 0; i < count; i++)
            Record(plan.Blocks[first + i], _computation.Evaluate(plan.Blocks[first + i], samples, origin), Weights.State.Step);
    }

    /// <inheritdoc />
    public void Dispose() => _team.Dispose();

    private void Begin()
    {
        _sums.Clear();
        _computation.BindWeights(Weights.State.Weights.Memory);
    }

    private void ForwardBackwardBlocks(
        ReductionPlan plan,
        int rank,
        ISampleSource samples,
        PublishedMemory memory,
        IBackwardProgress? progress
    )
    {
        var step = Weights.State.Step + 1;
        var origin = plan.RangeOf(rank).Start;
        var (first, count) = plan.PlacesOf(rank);
        for (var i = 0; i < count; i++)
        {
            var block = plan.Blocks[first + i];
            Record(block, _computation.Gradient(step, block, samples, origin, memory.Block(i), i == count - 1 ? progress : null), step);
        }
    }

    private void Record(TreeNode block, BatchSums sums, long step)
    {
        if (!float.IsFinite(sums.Loss))
            throw new NonFiniteLossException(step, sums.Loss);
        _sums.Add((block, sums));
    }
}
