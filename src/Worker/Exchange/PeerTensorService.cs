using Distributed.Collectives;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Worker.Exchange;

/// <summary>What a worker serves to its peers.</summary>
/// <param name="hub">Knows the current view.</param>
internal sealed class PeerTensorService(PeerHub hub) : TensorService
{
    /// <inheritdoc />
    public override async Task Exchange(IAsyncStreamReader<Frame> incoming, IServerStreamWriter<Frame> outgoing, ServerCallContext context)
    {
        var hello = await ReadHelloAsync(incoming, context.CancellationToken);
        var view = await hub.ViewAsync(hello.Generation, context.CancellationToken);
        if (hello.Run != view.Run || hello.Part >= view.Workers)
            throw new RpcException(new Status(StatusCode.PermissionDenied, "the stream belongs to another run"));
        await view.RunLinkAsync(new FrameLink(hello.Part, incoming, outgoing), complete: null, context.CancellationToken);
    }

    /// <inheritdoc />
    public override async Task FetchState(Frame request, IServerStreamWriter<Frame> outgoing, ServerCallContext context)
    {
        await hub.ViewAsync(request.Header.Generation, context.CancellationToken);
        var state = await hub.StateAsync(context.CancellationToken);
        var vectors = await state.StateAfterAsync(request.Header.Step, context.CancellationToken);
        await StateTransfer.SendAsync(outgoing, request.Header, vectors, context.CancellationToken);
    }

    /// <inheritdoc />
    public override Task<Frame> StoreState(IAsyncStreamReader<Frame> incoming, ServerCallContext context) =>
        throw new RpcException(new Status(StatusCode.Unimplemented, "snapshots go to the coordinator"));

    private static async Task<FrameHeader> ReadHelloAsync(IAsyncStreamReader<Frame> incoming, CancellationToken cancellationToken)
    {
        if (await incoming.MoveNext(cancellationToken))
        {
            using var hello = incoming.Current;
            if (hello.Header.Kind == FrameKind.Hello)
                return hello.Header;
        }

        throw new RpcException(new Status(StatusCode.InvalidArgument, "an exchange begins with a greeting"));
    }
}
