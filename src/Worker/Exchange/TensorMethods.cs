using Distributed.Collectives;
using Distributed.Protocol;
using Grpc.AspNetCore.Server.Model;

namespace Distributed.Worker.Exchange;

/// <summary>Binds a worker's tensors so that what arrives for the current view is read to where it belongs.</summary>
/// <param name="directory">Knows the current view.</param>
internal sealed class TensorMethods(ViewDirectory directory) : IServiceMethodProvider<MemberTensorService>
{
    /// <inheritdoc />
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<MemberTensorService> context)
    {
        context.AddDuplexStreamingMethod(TensorService.ExchangeMethod(directory), [], (service, incoming, outgoing, call) => service.Exchange(incoming, outgoing, call));
        context.AddServerStreamingMethod(TensorService.FetchStateMethod, [], (service, request, outgoing, call) => service.FetchState(request, outgoing, call));
        context.AddClientStreamingMethod(TensorService.StoreStateMethod, [], (service, incoming, call) => service.StoreState(incoming, call));
    }
}
