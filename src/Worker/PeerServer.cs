using Distributed.Collectives;
using Distributed.Hosting;
using Distributed.Protocol;

namespace Distributed.Worker;

/// <summary>The server by which other workers reach this one.</summary>
internal sealed class PeerServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private PeerServer(WebApplication app, Uri address)
    {
        _app = app;
        Address = address;
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Lets peers find this worker's view and state.</summary>
    public ViewDirectory Directory => _app.Services.GetRequiredService<ViewDirectory>();

    /// <summary>Starts listening.</summary>
    /// <param name="listen">The address; port 0 lets the system choose.</param>
    /// <param name="token">What every call must carry, or null in an insecure run.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="logs">Where it logs to; null for nowhere.</param>
    /// <exception cref="InputException">The address cannot be listened on.</exception>
    public static async Task<PeerServer> StartAsync(
        Uri listen,
        RunToken? token,
        CancellationToken cancellationToken,
        ProcessLogs? logs = null
    )
    {
        using var ports = ListeningPorts.Open(listen);
        var app = GrpcServer.CreateBuilder(ports, token, logs).Build();
        try
        {
            app.MapGrpcService<MemberTensorService>();
            GrpcServer.MapCommonServices(app);
            await app.StartAsync(cancellationToken);
            return new PeerServer(app, ports.Address);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}
