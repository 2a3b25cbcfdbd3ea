using System.Threading.Channels;
using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Collectives.Transports.SharedMemory;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Protocol;
using Google.Protobuf;
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
    private const long LargeState = 16 << 20; // values

    /// <inheritdoc />
    public override async Task<TensorFrame> StoreState(IAsyncStreamReader<TensorFrame> requestStream, ServerCallContext context)
    {
        var vectors = NewVectors();
        var (step, hash) = await StateTransfer.ReceiveAsync(
            requestStream,
            shape.Run,
            [.. vectors.Select(vector => vector.AsMemory())],
            context.CancellationToken
        );
        await TellAsync(step, vectors, hash, context.CancellationToken);
        return new TensorFrame();
    }

    /// <inheritdoc />
    public override async Task<StateAnswer> ReadState(StateOffer request, ServerCallContext context)
    {
        if (request.Run != shape.Run)
            throw new RpcException(new Status(StatusCode.PermissionDenied, "the state belongs to another run"));
        if (request.Memory is null)
            throw new RpcException(new Status(StatusCode.InvalidArgument, "no memory is offered"));
        var offer = RegionOffer.From(request.Memory);
        using var memory = SharedState.TryOpen(offer, shape.Length, 1 + shape.MomentNames.Count, out var refusal);
        if (memory is null)
            return new StateAnswer { Refusal = refusal };
        var vectors = NewVectors();
        var hash = StateTransfer.Copy(memory.Vectors, vectors, context.CancellationToken);
        await TellAsync(checked((long)request.Step), vectors, hash, context.CancellationToken);
        return new StateAnswer();
    }

    // Not cleared before they are filled, and in memory that the system need not clear either: large states cost a busy machine a second
    // of a core. The collector sees a few objects, and is in no hurry to look for those of earlier states by itself.
    private List<float[]> NewVectors()
    {
        var count = 1 + shape.MomentNames.Count;
        if ((long)count * shape.Length >= LargeState)
            GC.Collect();
        return [.. Enumerable.Range(0, count).Select(_ => GC.AllocateUninitializedArray<float>(shape.Length))];
    }

    private ValueTask TellAsync(long step, List<float[]> vectors, ByteString hash, CancellationToken cancellationToken)
    {
        var moments = shape.MomentNames.Zip(vectors.Skip(1), (name, values) => (name, (ReadOnlyMemory<float>)values));
        return events.WriteAsync(new SnapshotArrived(new Checkpoint(step, vectors[0], [.. moments]), hash), cancellationToken);
    }
}
