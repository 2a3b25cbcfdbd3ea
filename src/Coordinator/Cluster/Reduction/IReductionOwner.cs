using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Membership;

namespace Distributed.Coordinator.Cluster.Reduction;

/// <summary>The coordinator's own part in a step, if it has one: told of views and work in the order in which workers are.</summary>
internal interface IReductionOwner : IAsyncDisposable
{
    /// <summary>Whether the state after a step is with this process; otherwise a worker is asked for it.</summary>
    bool HoldsState { get; }

    /// <summary>A view begins.</summary>
    void Enter(ClusterView view);

    /// <summary>A step, or a snapshot after one, has been granted.</summary>
    /// <param name="work">What.</param>
    /// <param name="microbatches">Of the whole batch.</param>
    /// <param name="samples">Of the whole batch.</param>
    void Granted(PlannedWork work, int microbatches, int samples);
}
