using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Distributed.Protocol;

/// <summary>A connection to another process of the run; each has its own socket, so that bulk data delays no heartbeat.</summary>
internal sealed class Connection : IDisposable
{
    private readonly GrpcChannel _channel;

    /// <summary>Prepares a connection; it is made with the first call.</summary>
    /// <param name="address">The other's address, as in <c>http://10.0.0.7:5000</c>.</param>
    /// <param name="token">The run's token, or null in an insecure run.</param>
    public Connection(string address, RunToken? token)
    {
        Address = address;
        _channel = GrpcChannel.ForAddress(
            address,
            new GrpcChannelOptions
            {
                MaxReceiveMessageSize = WireLimits.MaximumMessageBytes,
                MaxSendMessageSize = WireLimits.MaximumMessageBytes,
                DisposeHttpClient = true,
                HttpHandler = new SocketsHttpHandler
                {
                    InitialHttp2StreamWindowSize = WireLimits.WindowBytes,
                    PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
                    ConnectTimeout = TimeSpan.FromSeconds(5),
                    UseProxy = false,
                },
            }
        );
        Calls = token is null ? _channel.CreateCallInvoker() : _channel.Intercept(new TokenClientInterceptor(token));
    }

    /// <summary>The other's address.</summary>
    public string Address { get; }

    /// <summary>Makes calls over this connection.</summary>
    public CallInvoker Calls { get; }

    /// <inheritdoc />
    public void Dispose() => _channel.Dispose();
}
