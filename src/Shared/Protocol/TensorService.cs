using Grpc.Core;

namespace Distributed.Protocol;

/// <summary>
/// The service of <c>tensors.proto</c>, bound by hand so that its messages are <see cref="Frame"/>s. A host derives from it
/// and maps it like a generated service.
/// </summary>
internal abstract class TensorService
{
    private const string ServiceName = "distributed.v1.Tensors";

    /// <summary>The method that <see cref="FetchState"/> serves.</summary>
    public static readonly Method<Frame, Frame> FetchStateMethod = Define(MethodType.ServerStreaming, "FetchState");

    /// <summary>The method that <see cref="StoreState"/> serves.</summary>
    public static readonly Method<Frame, Frame> StoreStateMethod = Define(MethodType.ClientStreaming, "StoreState");

    /// <summary>The method that <see cref="Exchange"/> serves.</summary>
    public static readonly Method<Frame, Frame> ExchangeMethod = Define(MethodType.DuplexStreaming, "Exchange");

    /// <summary>Exchanges gradients with the member that opened the stream; ends when the view does.</summary>
    /// <param name="incoming">The other's frames.</param>
    /// <param name="outgoing">This side's frames.</param>
    /// <param name="context">The call.</param>
    public abstract Task Exchange(IAsyncStreamReader<Frame> incoming, IServerStreamWriter<Frame> outgoing, ServerCallContext context);

    /// <summary>Sends the state after the requested step.</summary>
    /// <param name="request">A frame of kind <see cref="FrameKind.State"/> that names generation and step.</param>
    /// <param name="outgoing">Receives weights and moments.</param>
    /// <param name="context">The call.</param>
    public abstract Task FetchState(Frame request, IServerStreamWriter<Frame> outgoing, ServerCallContext context);

    /// <summary>Takes a snapshot.</summary>
    /// <param name="incoming">Weights and moments.</param>
    /// <param name="context">The call.</param>
    /// <returns>An empty frame once everything has arrived.</returns>
    public abstract Task<Frame> StoreState(IAsyncStreamReader<Frame> incoming, ServerCallContext context);

    /// <summary>Called by the server to learn the methods.</summary>
    /// <param name="binder">Takes them.</param>
    /// <param name="service">The service, or null where only the descriptions are wanted.</param>
    public static void BindService(ServiceBinderBase binder, TensorService? service)
    {
        ArgumentNullException.ThrowIfNull(binder);
        binder.AddMethod(ExchangeMethod, service is null ? null! : new DuplexStreamingServerMethod<Frame, Frame>(service.Exchange));
        binder.AddMethod(FetchStateMethod, service is null ? null! : new ServerStreamingServerMethod<Frame, Frame>(service.FetchState));
        binder.AddMethod(StoreStateMethod, service is null ? null! : new ClientStreamingServerMethod<Frame, Frame>(service.StoreState));
    }

    private static Method<Frame, Frame> Define(MethodType type, string name) =>
        new(type, ServiceName, name, FrameMarshaller.Instance, FrameMarshaller.Instance);
}
