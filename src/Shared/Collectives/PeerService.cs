using Distributed.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Distributed.Collectives;

/// <summary>What every member serves to the others of its view before they exchange.</summary>
/// <param name="directory">Knows the current view.</param>
internal sealed class PeerService(ViewDirectory directory) : Peers.PeersBase
{
    /// <inheritdoc />
    public override async Task<ConnectReply> Connect(ConnectRequest request, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(context);
        var view = await directory.ViewAsync(ViewGeneration.From(request.Generation), context.CancellationToken);
        if (request.Run != view.Run)
            throw new RpcException(new Status(StatusCode.PermissionDenied, "the request belongs to another run"));
        return new ConnectReply
        {
            Memory = view.Answer(request.Rank, request.Memory ?? new MemoryOffer { Refusal = "it offers no memory" }),
            StreamTicket = NewTicket(view, request.Rank),
            CallTicket = NewTicket(view, request.Rank),
            LocalSocket = directory.LocalSocketName,
        };
    }

    /// <inheritdoc />
    public override Task<ReachReply> Reach(ReachRequest request, ServerCallContext context) => Task.FromResult(new ReachReply());

    /// <inheritdoc />
    public override Task<HeldState> Compare(HeldState request, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (directory.Compare is not { } compare)
            throw new RpcException(new Status(StatusCode.FailedPrecondition, "this process holds no state of its own"));
        var own = compare(request);
        return own.Run == request.Run
            ? Task.FromResult(own)
            : throw new RpcException(new Status(StatusCode.PermissionDenied, "the request belongs to another run"));
    }

    private ByteString NewTicket(ExchangeView view, int rank) => ByteString.CopyFrom(Tickets.Bytes(directory.Tickets.Issue(view, rank)));
}
