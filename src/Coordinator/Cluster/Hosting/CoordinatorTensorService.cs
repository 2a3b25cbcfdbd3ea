using System.Threading.Channels;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Coordinator.Cluster.Hosting;

/// <summary>Whose state, and its sizes.</summary>
/// <param name="Run">The run's identity.</param>
/// <param name="Length">The flat vector's length in elements.</param>
/// <param name="MomentNames">The optimizer's moments, in order.</param>
internal sealed record StateShape(ulong Run, int Length, IReadOnlyList<string> MomentNames);

/// <summary>What the coordinator serves of tensors: what every member does, and it takes snapshots.</summary>
/// <param name="directory">Knows the current view and the state.</param>
/// <param name="shape">The run and its state's sizes.</param>
/// <param name="events">Learns of snapshots.</param>
internal sealed class CoordinatorTensorService(ViewDirectory directory, StateShape shape, ChannelWriter<ClusterEvent> events)
    : MemberTensorService(directory)
{
    /// <inheritdoc />
    public override async Task<TensorFrame> StoreState(IAsyncStreamReader<TensorFrame> requestStream, ServerCallContext context)
    {
        // Not cleared before they are filled: a large state costs a busy machine a second of a core.
        var weights = GC.AllocateUninitializedArray<float>(shape.Length);
        var moments = shape.MomentNames.Select(name => (Name: name, Values: GC.AllocateUninitializedArray<float>(shape.Length))).ToList();
        List<Memory<float>> vectors = [weights, .. moments.Select(moment => moment.Values)];
        var (step, hash) = await StateTransfer.ReceiveAsync(requestStream, shape.Run, vectors, context.CancellationToken);
        var checkpoint = new Checkpoints.Checkpoint(
            step,
            weights,
            [.. moments.Select(moment => (moment.Name, (ReadOnlyMemory<float>)moment.Values))]
        );
        await events.WriteAsync(new SnapshotArrived(checkpoint, hash), context.CancellationToken);
        return new TensorFrame();
    }
}
