using Distributed.Protocol;
using Grpc.Core;

namespace Distributed.Collectives;

/// <summary>What every worker serves to the others of its view before they exchange.</summary>
/// <param name="directory">Knows the current view.</param>
public sealed class PeerService(ViewDirectory directory) : Peers.PeersBase
{
    /// <inheritdoc />
    public override async Task<MemoryOffer> OfferMemory(MemoryOffer request, ServerCallContext context)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(context);
        var view = await directory.ViewAsync(ViewGeneration.From(request.Generation), context.CancellationToken);
        if (request.Run != view.Run || request.Rank < 0 || request.Rank >= view.Workers)
            throw new RpcException(new Status(StatusCode.PermissionDenied, "the offer belongs to another run"));
        return view.SharedMemory?.Answer(request) ?? new MemoryOffer { Refusal = "this worker shares no memory" };
    }
}
