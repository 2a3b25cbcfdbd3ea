using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Data;
using Distributed.Model;
using Distributed.Training;

namespace Distributed.Coordinator.Runs;

/// <summary>All that a training run works on. Everything in it has been validated.</summary>
/// <param name="Configuration">What decides the result.</param>
/// <param name="Dataset">The data, of the configuration's SHA-256.</param>
/// <param name="Network">The model, resolved against the data.</param>
/// <param name="Cluster">Who does the work; decides nothing about the result.</param>
/// <param name="Folder">The locked run folder, with its checkpoint store.</param>
/// <param name="Start">Where to begin: step 0 with initial weights and moments of zeros, or a checkpoint.</param>
internal sealed record RunRequest(
    RunConfiguration Configuration,
    Dataset Dataset,
    Network Network,
    ClusterOptions Cluster,
    RunFolder Folder,
    Checkpoint Start
)
{
    /// <summary>
    /// The evaluations that an earlier coordinator has left in the folder, in order, where they decide when training stops; also those
    /// after the start, which count if workers have gone on from there.
    /// </summary>
    public IReadOnlyList<Evaluated> Evaluations { get; init; } = [];

    /// <summary>The state of the best of them up to the start; null if there is none, or if it is not asked for.</summary>
    public BestState? Best { get; init; }

    /// <summary>
    /// Where the run begins, see <see cref="Positions"/>: with the state at its end, it is only evaluated. What was evaluated at an earlier
    /// end alone has no place in a run that goes on.
    /// </summary>
    public long Position
    {
        get
        {
            var hasStopped = StoppingAfter(Positions.AfterEvaluation(Start.Step)) is { HasStopped: true };
            return hasStopped || !Configuration.IsEvaluated(Start.Step)
                ? Positions.After(Start.Step)
                : Positions.Start(Start.Step, Configuration.Steps);
        }
    }

    /// <summary>What the evaluations up to a position say of when to stop; null if that is not asked for.</summary>
    /// <param name="position">The position.</param>
    public EarlyStopping? StoppingAfter(long position) =>
        Configuration.Options.Patience is { } patience
            ? Evaluations
                .Where(evaluation => Configuration.IsEvaluated(evaluation.Step))
                .Where(evaluation => Positions.AfterEvaluation(evaluation.Step) <= position)
                .Aggregate(new EarlyStopping(patience), (stopping, next) => stopping.After(next.Step, next.HeldOut!.Loss))
            : null;

    /// <summary>The evaluation after a step that an earlier coordinator has left; null if there is none.</summary>
    public Evaluated? EvaluationAfter(long step) => Evaluations.FirstOrDefault(evaluation => evaluation.Step == step);

    /// <summary>What a step computes from.</summary>
    public TrainingSettings Settings => TrainingSettings.Of(Configuration, Network, Configuration.CreateObjective(Dataset));

    /// <summary>How far the metrics go that an earlier coordinator has left in the folder, see <see cref="Collectives.Positions"/>.</summary>
    public long Logged { get; init; }

    /// <summary>Where the data was found, for workers of this machine; null for data that lies in memory alone.</summary>
    public DataOptions? Data { get; init; } = Configuration.Options.Data;
}

/// <summary>The state whose weights are the model so far, where the best evaluation decides that.</summary>
/// <param name="Checkpoint">The state.</param>
/// <param name="Evaluation">The evaluation after its step.</param>
internal sealed record BestState(Checkpoint Checkpoint, Evaluated Evaluation);
