using Distributed.Collectives.Transports.Calls;
using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Collectives;

/// <summary>What every member serves to the others: its end of an exchange, and its state.</summary>
/// <param name="directory">Knows the current view and the state.</param>
internal class MemberTensorService(ViewDirectory directory) : Tensors.TensorsBase
{
    /// <inheritdoc />
    public override async Task Exchange(
        IAsyncStreamReader<TensorFrame> requestStream,
        IServerStreamWriter<TensorFrame> responseStream,
        ServerCallContext context
    )
    {
        ArgumentNullException.ThrowIfNull(context);
        var ticket = Tickets.Parse(context.RequestHeaders.GetValue(CallLink.TicketHeader));
        if (directory.Tickets.Redeem(ticket) is not var (view, rank))
            throw new RpcException(new Status(StatusCode.PermissionDenied, "the exchange's ticket is unknown, used or expired"));
        await view.AcceptAsync(rank, context.RequestHeaders.GetValue(CallLink.SharedHeader) == "1", requestStream, responseStream);
    }

    /// <inheritdoc />
    public override async Task FetchState(StateRequest request, IServerStreamWriter<TensorFrame> responseStream, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(context);
        var state = await directory.StateAsync(context.CancellationToken);
        if (request.Run != state.Run)
            throw new RpcException(new Status(StatusCode.PermissionDenied, "the request belongs to another run"));
        if (request.Stripes is < 1 or > StateTransfer.MostStripes || request.Stripe < 0 || request.Stripe >= request.Stripes)
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"there is no stripe {request.Stripe} of {request.Stripes}"));
        var step = checked((long)request.Step);
        var vectors = await state.StateAfterAsync(step, context.CancellationToken);
        await StateTransfer.SendAsync(
            responseStream,
            new TensorFrame { Run = request.Run, Step = request.Step },
            [.. vectors.Select(vector => vector[StateTransfer.Stripe(vector.Length, request.Stripe, request.Stripes)])],
            context.CancellationToken
        );
        // The members of the requester's view wait for it; if it has been cut off, they may have gone on without it.
        if (!state.Holds(step))
            throw new RpcException(new Status(StatusCode.Aborted, $"the state after step {step} changed while it was sent"));
    }

    /// <inheritdoc />
    public override Task<TensorFrame> StoreState(IAsyncStreamReader<TensorFrame> requestStream, ServerCallContext context) =>
        throw TakesNoSnapshots();

    /// <inheritdoc />
    public override Task<StateAnswer> ReadState(StateOffer request, ServerCallContext context) => throw TakesNoSnapshots();

    private static RpcException TakesNoSnapshots() => new(new Status(StatusCode.Unimplemented, "only the coordinator takes snapshots"));
}
