using Grpc.Core;

namespace Distributed.Protocol;

/// <summary>Calls the service of <c>tensors.proto</c>.</summary>
/// <param name="calls">The channel's invoker.</param>
internal sealed class TensorClient(CallInvoker calls)
{
    /// <summary>Opens an exchange with another member; its life is the view's.</summary>
    /// <param name="headers">Its ticket.</param>
    public AsyncDuplexStreamingCall<Frame, Frame> Exchange(Metadata headers) =>
        calls.AsyncDuplexStreamingCall(TensorService.ExchangeMethod, null, new CallOptions(headers));

    /// <summary>Asks for the state after a step.</summary>
    /// <param name="request">A frame of kind <see cref="FrameKind.State"/> that names generation and step.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public AsyncServerStreamingCall<Frame> FetchState(Frame request, CancellationToken cancellationToken) =>
        calls.AsyncServerStreamingCall(
            TensorService.FetchStateMethod,
            null,
            new CallOptions(cancellationToken: cancellationToken),
            request
        );

    /// <summary>Begins to send a snapshot.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    public AsyncClientStreamingCall<Frame, Frame> StoreState(CancellationToken cancellationToken) =>
        calls.AsyncClientStreamingCall(TensorService.StoreStateMethod, null, new CallOptions(cancellationToken: cancellationToken));
}
