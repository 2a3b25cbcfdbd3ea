using Distributed.Collectives.Transports.Calls;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Collectives;

/// <summary>What every member serves to the others: its end of an exchange, and its state.</summary>
/// <param name="directory">Knows the current view and the state.</param>
[BindServiceMethod(typeof(TensorService), nameof(BindService))]
internal class MemberTensorService(ViewDirectory directory) : TensorService
{
    /// <inheritdoc />
    public override async Task Exchange(IAsyncStreamReader<Frame> incoming, IServerStreamWriter<Frame> outgoing, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var ticket = Tickets.Parse(context.RequestHeaders.GetValue(CallLink.TicketHeader));
        if (directory.Tickets.Redeem(ticket) is not var (view, rank))
            throw new RpcException(new Status(StatusCode.PermissionDenied, "the exchange's ticket is unknown, used or expired"));
        await view.AcceptAsync(rank, context.RequestHeaders.GetValue(CallLink.SharedHeader) == "1", incoming, outgoing);
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
}
