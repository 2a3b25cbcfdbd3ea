using Distributed.Collectives;
using Distributed.Kernels.Embeddings;
using Distributed.Kernels.Threads;
using Distributed.Model;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>
/// One copy of the model with all that a member needs to take its part in a step: the state, the memory of the passes, and
/// threads. One thread at a time may use it.
/// </summary>
internal sealed class Replica : IDisposable
{
    private readonly TrainingSettings _settings;
    private readonly ComputeTeam _team;
    private readonly NodeComputation _computation;
    private readonly List<(TreeNode Node, BatchSums Sums)> _sums = [];

    /// <summary>Reserves the memory of a replica.</summary>
    /// <param name="settings">The run's settings.</param>
    /// <param name="threads">Threads that compute, the caller's included.</param>
    /// <param name="holdsMoments">False where another process updates and only the weights arrive here.</param>
    /// <param name="progress">Counts what is computed; or null.</param>
    public Replica(TrainingSettings settings, int threads, bool holdsMoments = true, ProgressCounter? progress = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _team = new ComputeTeam(threads);
        _computation = new NodeComputation(settings, _team, progress);
        Weights = new WeightUpdater(settings, _team, holdsMoments);
    }

    /// <summary>The training state and what updates it.</summary>
    public WeightUpdater Weights { get; }

    /// <summary>The sums of the nodes that were computed last.</summary>
    public IReadOnlyList<(TreeNode Node, BatchSums Sums)> Sums => _sums;

    /// <summary>The samples that were decoded in the last step or evaluation, by their numbers in the dataset.</summary>
    public ReadOnlySpan<int> Decoded => _computation.Decoded;

    /// <summary>Samples that are summed in one chain.</summary>
    internal int Microbatch => _settings.Microbatch;

    /// <summary>The threads that compute.</summary>
    internal ComputeTeam Team => _team;

    /// <summary>Pins the compute threads, of which the caller is one, to some processors.</summary>
    /// <param name="processors">Some of <see cref="ThreadAffinity.Allowed"/>.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">The system refuses.</exception>
    public void Pin(IEnumerable<int> processors) => _team.Pin(processors);

    /// <summary>Runs forward and backward over a member's tree nodes of a step.</summary>
    /// <param name="plan">The step's plan.</param>
    /// <param name="rank">The member.</param>
    /// <param name="samples">The samples of the member's range.</param>
    /// <param name="memory">Receives the gradient sum of each node, in the order of the plan. <see cref="Sums"/> has their losses.</param>
    /// <param name="progress">
    /// Notified as parts of the gradients are completed in all nodes; or null. Updates that follow from it are done when this returns.
    /// </param>
    /// <param name="stop">Gives it up, at the latest at the next pass.</param>
    /// <exception cref="NonFiniteLossException">A loss is infinite or NaN; that node's gradient has not been told.</exception>
    public void ForwardBackward(
        ReductionPlan plan,
        int rank,
        ISampleSource samples,
        ExchangeMemory memory,
        IBackwardProgress? progress = null,
        CancellationToken stop = default
    )
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(memory);
        Begin(Weights.Touched);
        _team.BeginDeferring();
        try
        {
            ForwardBackwardNodes(plan, rank, samples, memory, progress, stop);
        }
        finally
        {
            _team.EndDeferring();
        }
    }

    /// <summary>
    /// Computes the loss over a member's nodes of the test set, with the current weights; <see cref="Sums"/> has the result.
    /// </summary>
    /// <param name="plan">The plan over the test set's microbatches.</param>
    /// <param name="rank">The member.</param>
    /// <param name="samples">The samples of the member's range.</param>
    /// <param name="stop">Gives it up, at the latest at the next pass.</param>
    /// <exception cref="NonFiniteLossException">A loss is infinite or NaN.</exception>
    public void Evaluate(ReductionPlan plan, int rank, ISampleSource samples, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(plan);
        Begin(touched: null);
        var origin = plan.RangeOf(rank).Start;
        var (first, count) = plan.PlacesOf(rank);
        for (var i = 0; i < count; i++)
            Record(plan.Nodes[first + i], _computation.Evaluate(plan.Nodes[first + i], samples, origin, stop), Weights.State.Step);
    }

    /// <inheritdoc />
    public void Dispose() => _team.Dispose();

    private void Begin(RowPlaces? touched)
    {
        _sums.Clear();
        _computation.Begin(Weights.State.Weights.Memory, touched);
    }

    private void ForwardBackwardNodes(
        ReductionPlan plan,
        int rank,
        ISampleSource samples,
        ExchangeMemory memory,
        IBackwardProgress? progress,
        CancellationToken stop
    )
    {
        var step = Weights.State.Step + 1;
        var origin = plan.RangeOf(rank).Start;
        var (first, count) = plan.PlacesOf(rank);
        for (var i = 0; i < count; i++)
        {
            var node = plan.Nodes[first + i];
            var told = i == count - 1 ? progress : null;
            Record(node, _computation.Gradient(step, node, samples, origin, memory.Node(i), told, stop), step);
        }
    }

    private void Record(TreeNode node, BatchSums sums, long step)
    {
        if (!float.IsFinite(sums.Loss))
            throw new NonFiniteLossException(step, sums.Loss);
        _sums.Add((node, sums));
    }
}
