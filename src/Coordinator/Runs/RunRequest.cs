using Distributed.Checkpoints;
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
    /// <summary>What a step computes from.</summary>
    public TrainingSettings Settings => TrainingSettings.Of(Configuration, Network, Configuration.CreateObjective(Dataset));

    /// <summary>How far the metrics go that an earlier coordinator has left in the folder, see <see cref="Collectives.Positions"/>.</summary>
    public long Logged { get; init; }

    /// <summary>Where the data was found, for workers of this machine.</summary>
    public DataOptions Data { get; init; } = Configuration.Options.Data;
}
