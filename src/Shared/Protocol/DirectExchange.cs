using System.Net.Sockets;
using Distributed.Protocol.Http2;
using Grpc.Core;

namespace Distributed.Protocol;

/// <summary>
/// An exchange stream on a connection of its own, whose frames are sent straight from the sender's vectors
/// (<see cref="SendingConnection"/>). To the other side it is a call like any other.
/// </summary>
public sealed class DirectExchange : IAsyncStreamWriter<Frame>, IDisposable
{
    /// <summary>
    /// A header of the call. It says that every message after the greeting comes as one frame of HTTP/2, and not before the response's
    /// headers have come, so that the server can let them be received past it; one that cannot notices nothing.
    /// </summary>
    public const string HeaderName = "direct-frames";

    private readonly Connection _connection;
    private readonly AsyncDuplexStreamingCall<Frame, Frame> _call;
    private readonly byte[] _prefix = new byte[FrameMarshaller.MaximumPrefixBytes];
    private SendingConnection? _sending;
    private Task? _accepted;

    private DirectExchange(string address, RunToken? token, IFrameSink? sink, CancellationToken cancellationToken)
    {
        _connection = new Connection(address, token, ConnectAsync);
        _call = new TensorClient(_connection.Calls).Exchange(cancellationToken, sink, new Metadata { { HeaderName, "1" } });
    }

    /// <summary>What the other side sends.</summary>
    public IAsyncStreamReader<Frame> Incoming => _call.ResponseStream;

    /// <inheritdoc />
    public WriteOptions? WriteOptions { get; set; }

    /// <summary>Opens an exchange.</summary>
    /// <param name="address">The other's address.</param>
    /// <param name="token">The run's token, or null in an insecure run.</param>
    /// <param name="hello">The greeting.</param>
    /// <param name="sink">Knows where the values of received frames belong; null if nobody does.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="RpcException">The other side cannot be reached.</exception>
    public static async Task<DirectExchange> OpenAsync(
        string address,
        RunToken? token,
        Frame hello,
        IFrameSink? sink,
        CancellationToken cancellationToken
    )
    {
        var exchange = new DirectExchange(address, token, sink, cancellationToken);
        try
        {
            await exchange._call.RequestStream.WriteAsync(hello, cancellationToken);
            return exchange;
        }
        catch
        {
            exchange.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public Task WriteAsync(Frame message) => WriteAsync(message, CancellationToken.None);

    /// <inheritdoc />
    public async Task WriteAsync(Frame message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        await (_accepted ??= _call.ResponseHeadersAsync);
        var prefix = FrameMarshaller.WritePrefix(message, _prefix);
        await _sending!.SendMessageAsync(_prefix.AsMemory(0, prefix), message.Owned, cancellationToken);
    }

    /// <summary>Ends this side's direction.</summary>
    public Task CompleteAsync() => _call.RequestStream.CompleteAsync();

    /// <inheritdoc />
    public void Dispose()
    {
        _call.Dispose();
        _connection.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        if (await LocalSocket.ConnectAsync(host, port, cancellationToken) is { } local)
            return _sending = new SendingConnection(local);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            CongestionControl.Apply(socket);
            return _sending = new SendingConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
