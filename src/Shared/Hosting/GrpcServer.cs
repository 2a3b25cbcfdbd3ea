using System.Net;
using Distributed.Collectives;
using Distributed.Protocol;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Distributed.Hosting;

/// <summary>
/// The gRPC server that coordinator and worker have in common: Kestrel, HTTP/2 without TLS, the run token, health, and reflection on
/// loopback.
/// </summary>
internal static class GrpcServer
{
    /// <summary>Connections that speak HTTP, at most: some for each of the most workers, and as many again for probes.</summary>
    private const int MostConnections = 8 * 1024;

    /// <summary>Prepares a host.</summary>
    /// <param name="listen">The address; port 0 lets the system choose.</param>
    /// <param name="token">What every call must carry, or null in an insecure run.</param>
    /// <param name="logs">Where it logs to; null for nowhere.</param>
    public static WebApplicationBuilder CreateBuilder(Uri listen, RunToken? token, ProcessLogs? logs = null)
    {
        // An empty builder has no source of configuration: no variable of the environment and no file decides where this listens or
        // what it writes.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.Services.AddSingleton((logs ?? ProcessLogs.None).Factory);
        builder.WebHost.ConfigureKestrel(options => Configure(options, listen));
        builder.Services.AddSingleton(new RunTokenHolder(token));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ViewDirectory>();
        builder.Services.AddSingleton<IConnectionListenerFactory, PeekingListenerFactory>();
        builder.Services.AddSingleton<IHostLifetime, NoSignalLifetime>();
        builder.Services.AddGrpc(options =>
        {
            options.Interceptors.Add<TokenServerInterceptor>();
            options.MaxReceiveMessageSize = WireLimits.MaximumMessageBytes;
            options.MaxSendMessageSize = WireLimits.MaximumMessageBytes;
            options.EnableDetailedErrors = true;
        });
        builder.Services.AddGrpcHealthChecks().AddCheck("process", () => HealthCheckResult.Healthy());
        if (IsLoopback(listen))
            builder.Services.AddGrpcReflection();
        return builder;
    }

    /// <summary>Maps what every host serves.</summary>
    /// <param name="app">The host.</param>
    /// <param name="listen">The address it was prepared for.</param>
    public static void MapCommonServices(WebApplication app, Uri listen)
    {
        ResponseBody.Use(app);
        app.MapGrpcService<PeerService>();
        app.MapGrpcHealthChecksService();
        if (IsLoopback(listen))
            app.MapGrpcReflectionService();
    }

    /// <summary>Starts listening.</summary>
    /// <returns>The address with the port that is in use.</returns>
    /// <exception cref="InputException">The address cannot be listened on.</exception>
    public static async Task<Uri> StartAsync(WebApplication app, Uri listen, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or System.Net.Sockets.SocketException or InvalidOperationException)
        {
            throw new InputException(
                $"--listen {listen}: cannot be listened on ({exception.Message.TrimEnd('.')}); choose another port, or 0 for a free one",
                exception
            );
        }

        return AddressOf(app, listen);
    }

    /// <summary>The address of a server that has started, with the port that is in use.</summary>
    /// <param name="app">The host.</param>
    /// <param name="listen">The address that it was prepared for.</param>
    public static Uri AddressOf(WebApplication app, Uri listen)
    {
        var bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new UriBuilder(listen) { Port = new Uri(bound.Replace("[::]", "0.0.0.0", StringComparison.Ordinal)).Port }.Uri;
    }

    /// <summary>
    /// Where a server listens for an address. A name stands for its own addresses and no others; port 0 gives each address another port, and
    /// only one can be told.
    /// </summary>
    /// <exception cref="System.Net.Sockets.SocketException">The name is not known.</exception>
    public static IEnumerable<IPEndPoint> EndPointsOf(Uri listen)
    {
        var addresses =
            IPAddress.TryParse(listen.DnsSafeHost, out var address) ? [address]
            : listen.IsLoopback ? [IPAddress.Loopback]
            : Dns.GetHostAddresses(listen.DnsSafeHost);
        return addresses.Take(listen.Port == 0 ? 1 : addresses.Length).Select(one => new IPEndPoint(one, listen.Port));
    }

    /// <summary>Whether an address is this machine's own.</summary>
    public static bool IsLoopback(Uri address) =>
        address.IsLoopback || (IPAddress.TryParse(address.DnsSafeHost, out var ip) && IPAddress.IsLoopback(ip));

    private static void Configure(KestrelServerOptions options, Uri listen)
    {
        options.AddServerHeader = false;
        options.Limits.MaxConcurrentConnections = MostConnections;
        options.Limits.MaxRequestBodySize = null;
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        options.Limits.Http2.InitialConnectionWindowSize = WireLimits.WindowBytes;
        options.Limits.Http2.InitialStreamWindowSize = WireLimits.WindowBytes;
        options.Limits.Http2.MaxFrameSize = WireLimits.HttpFrameBytes;
        foreach (var endpoint in EndPointsOf(listen))
            options.Listen(endpoint, Http2Only);

        static void Http2Only(ListenOptions endpoint) => endpoint.Protocols = HttpProtocols.Http2;
    }
}

/// <summary>The command line turns signals into decisions of the run; the host must not stop the server in the middle of it.</summary>
internal sealed class NoSignalLifetime : IHostLifetime
{
    /// <inheritdoc />
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
