using Distributed.Kernels.Embeddings;
using Distributed.Model;
using Distributed.Objectives;

namespace Distributed.Training;

/// <summary>What a step computes from, apart from the samples: the same on every member of a run.</summary>
/// <param name="Network">The model, resolved against the data.</param>
/// <param name="Objective">What is minimised and measured.</param>
/// <param name="Microbatch">Samples that are summed in one chain.</param>
/// <param name="Optimizer">The rule that changes the weights, and its constants.</param>
/// <param name="Schedule">How the learning rate changes.</param>
/// <param name="TotalSteps">The run's last step.</param>
/// <param name="Seed">What dropped activations are drawn from.</param>
internal sealed record TrainingSettings(
    Network Network,
    Objective Objective,
    int Microbatch,
    OptimizerOptions Optimizer,
    ScheduleOptions Schedule,
    long TotalSteps,
    ulong Seed
)
{
    /// <summary>
    /// The model's tables, where a step updates only the rows that it touches; null where there are none, or where the optimizer changes
    /// weights without a gradient. Clipping needs the gradient as a whole, and so all of the tables.
    /// </summary>
    public EmbeddingShape? TablesOfRows { get; } =
        Optimizer.ClipNorm is null && Optimizer.CreateOptimizer().LeavesUntouchedAlone ? Network.Tables : null;

    /// <summary>The settings of a run.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="network">Its model, resolved against the data.</param>
    /// <param name="objective">What it minimises and measures.</param>
    public static TrainingSettings Of(RunConfiguration configuration, Network network, Objective objective)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return new(
            network,
            objective,
            configuration.Microbatch,
            configuration.Options.Optimizer,
            configuration.Options.Schedule,
            configuration.Steps,
            configuration.Options.Seed
        );
    }
}
