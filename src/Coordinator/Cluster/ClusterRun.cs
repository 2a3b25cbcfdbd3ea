using System.Threading.Channels;
using Distributed.Cluster;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Hosting;
using Distributed.Coordinator.Runs;
using Distributed.Hosting;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster;

/// <summary>Trains with worker processes: serves them, starts the local ones, and controls the run until its end.</summary>
/// <param name="time">The clock.</param>
/// <param name="logs">Where it is logged.</param>
internal sealed class ClusterRun(TimeProvider time, ProcessLogs logs) : ITrainingRun
{
    // Everything that can happen in a moment, from a thousand workers.
    private const int EventQueueLength = 1 << 16;

    /// <summary>How long the last messages to workers may take; one that does not read is not waited for longer.</summary>
    private static readonly TimeSpan FarewellTime = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(250);
    private static readonly Uri AnyLoopbackPort = new("http://127.0.0.1:0");

    /// <inheritdoc />
    public async Task<RunResult> RunAsync(RunRequest request, IRunObserver observer, CancellationToken interrupt)
    {
        ArgumentNullException.ThrowIfNull(request);
        var token = TokenFile.Open(request.Cluster);
        var identity = new RunIdentity(request.Folder.RunId(), checked((uint)request.Folder.RaiseEpoch()));
        var events = Channel.CreateBounded<ClusterEvent>(new BoundedChannelOptions(EventQueueLength) { SingleReader = true });
        var directory = new ViewDirectory();
        using var ports = ListeningPorts.Open(Listen(request));
        await using var workers = new LocalWorkers(events.Writer, logs.Settings);
        workers.Start( // they start while the server is being built
            request.Cluster.Workers,
            Reachable(ports.Address),
            new UriBuilder(Listen(request)) { Port = 0 }.Uri, // reachable for those that reach the coordinator
            request.Cluster.ResolvedThreads,
            request.Data,
            token
        );
        await using var server = CreateServer(request, identity, token, directory, events.Writer);
        var saved = server is null ? new SavedState(identity.Run, request.Start) : null;
        directory.Serve(server ?? (IStateSource)saved!);
        await using var app = BuildHost(request, identity.Run, ports, token, directory, events.Writer);
        await app.StartAsync(CancellationToken.None);
        using var controller = new RunController(request, observer, time, identity, server, saved, workers, logs.Factory);
        using var timer = time.CreateTimer(_ => events.Writer.TryWrite(new Tick(time.GetTimestamp())), null, TickInterval, TickInterval);
        await using var interrupted = interrupt.Register(() => events.Writer.TryWrite(new Interrupted()));
        Announce(request, observer, ports.Address);
        try
        {
            return await controller.RunAsync(events.Reader);
        }
        finally
        {
            await StopAsync(app);
            events.Writer.TryComplete();
        }
    }

    // Disposing of the server without stopping it resets the sessions, and dismissed workers would not learn why.
    private static async Task StopAsync(WebApplication app)
    {
        using var patience = new CancellationTokenSource(FarewellTime);
        await app.StopAsync(patience.Token);
    }

    private static ParameterServer? CreateServer(
        RunRequest request,
        RunIdentity identity,
        RunToken? token,
        ViewDirectory directory,
        ChannelWriter<ClusterEvent> events
    ) => request.Cluster.Exchange == Exchange.Peers ? null : new ParameterServer(request, identity.Run, token, directory, events);

    private WebApplication BuildHost(
        RunRequest request,
        ulong run,
        ListeningPorts ports,
        RunToken? token,
        ViewDirectory directory,
        ChannelWriter<ClusterEvent> events
    )
    {
        var builder = GrpcServer.CreateBuilder(ports, token, logs);
        builder.Services.AddSingleton(directory);
        builder.Services.AddSingleton(events);
        builder.Services.AddSingleton(new SessionAdmission(events));
        builder.Services.AddSingleton(
            new StateShape(run, request.Network.Layout.Length, request.Configuration.Options.Optimizer.CreateOptimizer().MomentNames)
        );
        var app = builder.Build();
        app.MapGrpcService<SessionService>();
        app.MapGrpcService<CoordinatorTensorService>();
        GrpcServer.MapCommonServices(app);
        return app;
    }

    private static Uri Listen(RunRequest request) => request.Cluster.Listen is { } listen ? new Uri(listen) : AnyLoopbackPort;

    // Local workers reach a coordinator that listens on every address through loopback.
    private static Uri Reachable(Uri address) => WithHost(address, "127.0.0.1");

    // What is bound is one address or all of them; where it is all, a host is named in their place.
    private static Uri WithHost(Uri address, string host) =>
        System.Net.IPAddress.TryParse(address.DnsSafeHost, out var ip)
        && (ip.Equals(System.Net.IPAddress.Any) || ip.Equals(System.Net.IPAddress.IPv6Any))
            ? new UriBuilder(address) { Host = host }.Uri
            : address;

    private static void Announce(RunRequest request, IRunObserver observer, Uri address)
    {
        if (request.Cluster.Listen is null)
            return;
        var found = WithHost(address, Environment.MachineName); // by workers elsewhere
        observer.Report(new Listening(found.ToString(), request.Cluster.MinWorkers ?? Math.Max(1, request.Cluster.Workers)));
        if (request.Cluster.Insecure)
        {
            observer.Report(
                new RunWarning(
                    "--insecure: anyone who reaches this address can join the run and read or change its weights; use --token-file instead"
                )
            );
        }
    }
}
