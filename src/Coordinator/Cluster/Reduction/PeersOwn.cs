using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Membership;
using Grpc.Core;

namespace Distributed.Coordinator.Cluster.Reduction;

/// <summary>The workers own the reduction: the coordinator has only the state that the run began with, for the first view.</summary>
/// <param name="run">The run's identity.</param>
/// <param name="start">That state.</param>
internal sealed class PeersOwn(ulong run, Checkpoint start) : IReductionOwner, IStateSource
{
    /// <inheritdoc />
    public ulong Run => run;

    /// <inheritdoc />
    public bool HoldsState => false;

    /// <inheritdoc />
    public void Enter(ClusterView view)
    {
        // Nothing to prepare: the members reach each other.
    }

    /// <inheritdoc />
    public void Granted(PlannedWork work, int microbatches, int samples)
    {
        // Nothing to do: the members reduce.
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<ReadOnlyMemory<float>>> StateAfterAsync(long step, CancellationToken cancellationToken) =>
        step == start.Step
            ? Task.FromResult<IReadOnlyList<ReadOnlyMemory<float>>>([start.Weights, .. start.Moments.Select(moment => moment.Values)])
            : throw new RpcException(
                new Status(
                    StatusCode.FailedPrecondition,
                    $"the coordinator has the state after step {start.Step}, not the one after step {step}"
                )
            );

    /// <inheritdoc />
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
