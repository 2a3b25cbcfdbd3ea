using Distributed.Collectives;
using Distributed.Protocol;
using Distributed.Protocol.Http2;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Distributed.Worker.Exchange;

/// <summary>Binds a worker's tensors so that what arrives for the current view is read to where it belongs.</summary>
/// <param name="directory">Knows the current view.</param>
internal sealed class TensorMethods(ViewDirectory directory) : IServiceMethodProvider<MemberTensorService>
{
    /// <inheritdoc />
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<MemberTensorService> context)
    {
        context.AddDuplexStreamingMethod(TensorService.ExchangeMethod(directory), [], (service, incoming, outgoing, call) =>
            service.Exchange(Direct(incoming, call), outgoing, call)
        );
        context.AddServerStreamingMethod(TensorService.FetchStateMethod, [], (service, request, outgoing, call) =>
            service.FetchState(request, outgoing, call)
        );
        context.AddClientStreamingMethod(TensorService.StoreStateMethod, [], (service, incoming, call) =>
            service.StoreState(incoming, call)
        );
    }

    private IAsyncStreamReader<Frame> Direct(IAsyncStreamReader<Frame> incoming, ServerCallContext call)
    {
        var features = call.GetHttpContext().Features;
        return
            call.RequestHeaders.Get(DirectExchange.HeaderName) is not null
            && features.Get<ReceivingConnection>() is { } connection
            && features.Get<IHttp2StreamIdFeature>() is { } stream
            ? new DirectFrameReader(incoming, connection, stream.StreamId, directory)
            : incoming;
    }
}
