using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Distributed.Protocol;

/// <summary>A connection to another process of the run; each has its own socket, so that bulk data delays no heartbeat.</summary>
internal sealed class Connection : IDisposable
{
    /// <summary>How long a connection may be quiet before the other is asked for a sign of life.</summary>
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ReconnectDelay = TimeSpan.FromMilliseconds(100);

    private readonly GrpcChannel _channel;

    /// <summary>Prepares a connection; it is made with the first call.</summary>
    /// <param name="address">The other's address, as in <c>http://10.0.0.7:5000</c>.</param>
    /// <param name="token">The run's token, or null in an insecure run.</param>
    /// <param name="silence">How long the other's system may give no sign of life before calls fail; null to wait without an end.</param>
    public Connection(string address, RunToken? token, TimeSpan? silence = null)
    {
        Address = address;
        _channel = GrpcChannel.ForAddress(
            address,
            new GrpcChannelOptions
            {
                MaxReceiveMessageSize = WireLimits.MaximumMessageBytes,
                MaxSendMessageSize = WireLimits.MaximumMessageBytes,
                DisposeHttpClient = true,
                // Callers decide how often they try again. By itself a channel waits a second, then ever longer, up to two minutes.
                InitialReconnectBackoff = ReconnectDelay,
                MaxReconnectBackoff = ReconnectDelay,
                HttpHandler = new SocketsHttpHandler
                {
                    InitialHttp2StreamWindowSize = WireLimits.WindowBytes,
                    PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
                    ConnectTimeout = TimeSpan.FromSeconds(5),
                    UseProxy = false,
                    KeepAlivePingDelay = silence is null ? Timeout.InfiniteTimeSpan : DelayOf(silence.Value),
                    KeepAlivePingTimeout = silence is null ? Timeout.InfiniteTimeSpan : silence.Value - DelayOf(silence.Value),
                },
            }
        );
        Calls = token is null ? _channel.CreateCallInvoker() : _channel.Intercept(new TokenClientInterceptor(token));
    }

    /// <summary>The other's address.</summary>
    public string Address { get; }

    /// <summary>Makes calls over this connection.</summary>
    public CallInvoker Calls { get; }

    // Both together are the silence: it is asked after a part of it.
    private static TimeSpan DelayOf(TimeSpan silence) => silence / 2 < PingDelay ? silence / 2 : PingDelay;

    /// <inheritdoc />
    public void Dispose() => _channel.Dispose();
}
