using System.Net.Sockets;
using Distributed.Coordinator.Observers.Meters;
using Distributed.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Primitives;

namespace Distributed.Coordinator.Dashboard;

/// <summary>
/// Serves the page on a port of its own, which speaks HTTP/1.1, as browsers do without TLS; the port of gRPC speaks HTTP/2 alone. It can only
/// be read.
/// </summary>
internal sealed class DashboardServer : IAsyncDisposable
{
    /// <summary>Connections at a time; a browser opens up to six for a page.</summary>
    private const int MostConnections = 256;

    /// <summary>Browsers that watch at a time; each holds a connection.</summary>
    private const int MostWatching = 64;

    /// <summary>After a lost connection, how soon a browser tries again, in milliseconds.</summary>
    private const string Retry = "retry: 1000\n\n";

    /// <summary>How long the last news may take to be taken.</summary>
    private static readonly TimeSpan FarewellTime = TimeSpan.FromMilliseconds(500);

    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'";

    private readonly WebApplication _app;
    private readonly DashboardModel _model;
    private readonly TimeProvider _time;
    private readonly AllowedHosts _hosts;
    private readonly PrometheusPage _meters = new();
    private int _watching;

    private DashboardServer(WebApplication app, Uri listen, DashboardModel model, TimeProvider time)
    {
        (_app, _model, _time, _hosts) = (app, model, time, new AllowedHosts(listen));
        Address = listen;
        app.Run(AnswerAsync);
    }

    /// <summary>Where the page is.</summary>
    public Uri Address { get; private set; }

    /// <summary>Begins to serve.</summary>
    /// <param name="listen">Where; port 0 lets the system choose.</param>
    /// <param name="model">What is shown.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="IOException">The address cannot be listened on.</exception>
    public static async Task<DashboardServer> StartAsync(Uri listen, DashboardModel model, TimeProvider time)
    {
        // Without any source of configuration, and without a log: what goes wrong here is no matter of the run's.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(options => Configure(options, listen));
        builder.Services.AddSingleton<IHostLifetime, NoSignalLifetime>();
        var app = builder.Build();
        try
        {
            var server = new DashboardServer(app, listen, model, time);
            await app.StartAsync();
            server.Address = AddressOf(app, listen);
            return server;
        }
        catch (Exception exception) when (exception is IOException or SocketException or InvalidOperationException)
        {
            await app.DisposeAsync();
            throw new IOException(exception.Message.TrimEnd('.'), exception);
        }
    }

    /// <summary>Ends; browsers are told what is new first, as far as they take it in a moment.</summary>
    public async ValueTask DisposeAsync()
    {
        using (var patience = new CancellationTokenSource(FarewellTime))
            await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
        _meters.Dispose();
    }

    private static Uri AddressOf(WebApplication app, Uri listen)
    {
        var bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new UriBuilder(listen) { Port = new Uri(bound.Replace("[::]", "0.0.0.0", StringComparison.Ordinal)).Port }.Uri;
    }

    private static void Configure(KestrelServerOptions options, Uri listen)
    {
        options.AddServerHeader = false;
        options.Limits.MaxConcurrentConnections = MostConnections;
        options.Limits.MaxRequestBodySize = 0;
        foreach (var endpoint in ListenAddress.EndPointsOf(listen))
            options.Listen(endpoint, Http1Only);

        static void Http1Only(ListenOptions endpoint) => endpoint.Protocols = HttpProtocols.Http1;
    }

    private Task AnswerAsync(HttpContext context)
    {
        var (request, headers) = (context.Request, context.Response.Headers);
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (!_hosts.Allows(request.Host.Host))
        {
            return RefuseAsync(
                context,
                StatusCodes.Status421MisdirectedRequest,
                $"This page is not served under the name '{Printable.Of(request.Host.Host)}'. Open {Address} instead."
            );
        }

        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            headers.Allow = "GET, HEAD";
            return RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "This page can only be read.");
        }

        if (request.Path == "/news" && HttpMethods.IsGet(request.Method))
            return WatchAsync(context);
        if (request.Path == "/run.json")
            return SendAsync(context, "application/json", NewsStream.Everything(_model));
        if (request.Path == "/metrics")
            return SendMetersAsync(context);
        if (PageFiles.Find(request.Path) is { } file)
            return SendAsync(context, file);
        return RefuseAsync(context, StatusCodes.Status404NotFound, "There is no such page.");
    }

    // Whole before it is sent: one that reads slowly holds nobody up.
    private async Task SendMetersAsync(HttpContext context)
    {
        using var page = new MemoryStream();
        await _meters.WriteAsync(page, context.RequestAborted);
        await SendAsync(context, PrometheusPage.ContentType, page.ToArray());
    }

    private async Task WatchAsync(HttpContext context)
    {
        try
        {
            if (Interlocked.Increment(ref _watching) > MostWatching)
            {
                await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "Too many browsers watch this run.");
                return;
            }

            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.WriteAsync(Retry, context.RequestAborted);
            await new NewsStream(_model, _time).RunAsync(
                async (bytes, cancellation) =>
                {
                    await context.Response.Body.WriteAsync(bytes, cancellation);
                    await context.Response.Body.FlushAsync(cancellation);
                },
                context.RequestAborted
            );
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            // The browser has gone.
        }
        finally
        {
            Interlocked.Decrement(ref _watching);
        }
    }

    private static Task SendAsync(HttpContext context, PageFile file)
    {
        context.Response.Headers.ETag = file.Tag;
        context.Response.Headers.CacheControl = "no-cache"; // asked for again, and not sent again: another run may have another version
        if (!IsKnown(context.Request.Headers.IfNoneMatch, file.Tag))
            return SendAsync(context, file.ContentType, file.Content);
        context.Response.StatusCode = StatusCodes.Status304NotModified;
        return Task.CompletedTask;
    }

    private static bool IsKnown(StringValues tags, string tag) =>
        tags.SelectMany(value => value!.Split(',', StringSplitOptions.TrimEntries))
            .Any(known => known == tag || known == "*" || known == "W/" + tag);

    private static Task RefuseAsync(HttpContext context, int status, string reason)
    {
        context.Response.StatusCode = status;
        return SendAsync(context, "text/plain; charset=utf-8", System.Text.Encoding.UTF8.GetBytes(reason + "\n"));
    }

    private static async Task SendAsync(HttpContext context, string type, ReadOnlyMemory<byte> content)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = content.Length;
        if (context.Response.Headers.CacheControl.Count == 0)
            context.Response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(content, context.RequestAborted);
    }
}
