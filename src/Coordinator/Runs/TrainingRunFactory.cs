using Distributed.Coordinator.Cluster;
using Distributed.Hosting;

namespace Distributed.Coordinator.Runs;

/// <summary>Chooses the way to train; the one place where the ways are known.</summary>
/// <param name="time">The clock that they use.</param>
internal sealed class TrainingRunFactory(TimeProvider time)
{
    /// <summary>The way that the options ask for.</summary>
    /// <param name="cluster">Who does the work.</param>
    /// <param name="logs">Where it is logged; null for nowhere.</param>
    public ITrainingRun Create(ClusterOptions cluster, ProcessLogs? logs = null) =>
        cluster.Workers == 0 && cluster.Listen is null ? new InProcessRun(time) : new ClusterRun(time, logs ?? ProcessLogs.None);
}
