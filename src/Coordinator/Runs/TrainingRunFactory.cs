using Distributed.Coordinator.Cluster;

namespace Distributed.Coordinator.Runs;

/// <summary>Chooses the way to train; the one place where the ways are known.</summary>
/// <param name="time">The clock that they use.</param>
internal sealed class TrainingRunFactory(TimeProvider time)
{
    /// <summary>The way that the options ask for.</summary>
    public ITrainingRun Create(ClusterOptions cluster) =>
        cluster.Workers == 0 && cluster.Listen is null ? new InProcessRun(time) : new ClusterRun(time);
}
