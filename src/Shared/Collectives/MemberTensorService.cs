using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Collectives;

/// <summary>
/// What every member serves to the others: its end of an exchange, and its state. A host binds it, with or without an
/// <see cref="IFrameSink"/>.
/// </summary>
/// <param name="directory">Knows the current view and the state.</param>
public class MemberTensorService(ViewDirectory directory) : TensorService
{
    /// <inheritdoc />
    public override async Task Exchange(IAsyncStreamReader<Frame> incoming, IServerStreamWriter<Frame> outgoing, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(incoming);
        ArgumentNullException.ThrowIfNull(context);
        var hello = await ReadHelloAsync(incoming, context.CancellationToken);
        var view = await directory.ViewAsync(hello.Generation, context.CancellationToken);
        if (hello.Run != view.Run || hello.Part >= view.Workers)
            throw new RpcException(new Status(StatusCode.PermissionDenied, "the stream belongs to another run"));
        (incoming as DirectFrameReader)?.Begin();
        await context.WriteResponseHeadersAsync([]); // the other side may wait for them before it goes on, see DirectExchange
        await view.ServeAsync(hello, new FrameLink(hello.Part, incoming, outgoing), context.CancellationToken);
    }

    /// <inheritdoc />
    public override async Task FetchState(Frame request, IServerStreamWriter<Frame> outgoing, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(context);
        var state = await directory.StateAsync(context.CancellationToken);
        if (request.Header.Run != state.Run)
            throw new RpcException(new Status(StatusCode.PermissionDenied, "the request belongs to another run"));
        var vectors = await state.StateAfterAsync(request.Header.Step, context.CancellationToken);
        await StateTransfer.SendAsync(outgoing, request.Header, vectors, context.CancellationToken);
    }

    /// <inheritdoc />
    public override Task<Frame> StoreState(IAsyncStreamReader<Frame> incoming, ServerCallContext context) =>
        throw new RpcException(new Status(StatusCode.Unimplemented, "only the coordinator takes snapshots"));

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
