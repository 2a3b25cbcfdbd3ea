using Distributed.Collectives;
using Distributed.Protocol;
using Microsoft.AspNetCore.Connections;
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

    /// <summary>Prepares a host, which takes the ports when it starts.</summary>
    /// <param name="ports">What it listens on.</param>
    /// <param name="token">What every call must carry, or null in an insecure run.</param>
    /// <param name="logs">Where it logs to; null for nowhere.</param>
    public static WebApplicationBuilder CreateBuilder(ListeningPorts ports, RunToken? token, ProcessLogs? logs = null)
    {
        // An empty builder has no source of configuration: no variable of the environment and no file decides where this listens or
        // what it writes.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.Services.AddSingleton((logs ?? ProcessLogs.None).Factory);
        builder.WebHost.ConfigureKestrel(options => Configure(options, ports));
        builder.Services.AddSingleton(new RunTokenHolder(token));
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ViewDirectory>();
        builder.Services.AddSingleton(ports);
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
        if (ListenAddress.IsLoopback(ports.Address))
            builder.Services.AddGrpcReflection();
        return builder;
    }

    /// <summary>Maps what every host serves.</summary>
    /// <param name="app">The host.</param>
    public static void MapCommonServices(WebApplication app)
    {
        ResponseBody.Use(app);
        app.MapGrpcService<PeerService>();
        app.MapGrpcHealthChecksService();
        if (ListenAddress.IsLoopback(app.Services.GetRequiredService<ListeningPorts>().Address))
            app.MapGrpcReflectionService();
    }

    private static void Configure(KestrelServerOptions options, ListeningPorts ports)
    {
        options.AddServerHeader = false;
        options.Limits.MaxConcurrentConnections = MostConnections;
        options.Limits.MaxRequestBodySize = null;
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        options.Limits.Http2.InitialConnectionWindowSize = WireLimits.WindowBytes;
        options.Limits.Http2.InitialStreamWindowSize = WireLimits.WindowBytes;
        options.Limits.Http2.MaxFrameSize = WireLimits.HttpFrameBytes;
        foreach (var endpoint in ports.EndPoints)
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
