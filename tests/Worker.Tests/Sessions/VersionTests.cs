using Distributed.Checkpoints;
using Distributed.Collectives;
using Distributed.Hosting;
using Distributed.Protocol;
using Distributed.Worker.CommandLine;
using Distributed.Worker.Sessions;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Distributed.Worker.Tests.Sessions;

/// <summary>A worker whose coordinator is of another build ends with a message that says what to do.</summary>
public sealed class VersionTests
{
    [Fact]
    public async Task A_worker_is_told_that_the_coordinator_refuses_its_version()
    {
        const string reason = "the worker has protocol version 1 and numerics version 1, the coordinator 3 and 1";
        await AssertRefusedAsync(() => throw new RpcException(new Status(StatusCode.FailedPrecondition, reason)), reason);
    }

    [Fact]
    public async Task A_worker_refuses_a_coordinator_from_before_versions_by_itself() =>
        await AssertRefusedAsync(
            () => new Welcome { Worker = 1, NumericsVersion = NumericsVersion.Current },
            $"the worker has protocol version {ProtocolVersion.Current} and numerics version 1, the coordinator 0 and 1 (0 is a build from before versions were told): "
                + "use the same release on every machine"
        );

    private static async Task AssertRefusedAsync(Func<Welcome> welcome, string reason)
    {
        using var ports = ListeningPorts.Open(new Uri("http://127.0.0.1:0"));
        var builder = GrpcServer.CreateBuilder(ports, token: null);
        builder.Services.AddSingleton(new OtherCoordinator(welcome));
        await using var app = builder.Build();
        app.MapGrpcService<OtherCoordinator>();
        await app.StartAsync(TestContext.Current.CancellationToken);
        var options = new WorkerOptions { Coordinator = ports.Address.ToString() };

        var session = new WorkerSession(options, token: null, "http://127.0.0.1:1", new ViewDirectory(), NullLoggerFactory.Instance);
        var refusal = await Assert.ThrowsAsync<InputException>(() => session.RunAsync(CancellationToken.None));
        Assert.Equal($"--coordinator {options.Coordinator}: {reason}", refusal.Message);
        Assert.Equal(ExitCode.BadUsage, await WorkerProcess.RunAsync(options with { Insecure = true }, inheritedToken: null));
    }

    private sealed class OtherCoordinator(Func<Welcome> welcome) : Cluster.ClusterBase
    {
        public override async Task Session(
            IAsyncStreamReader<WorkerMessage> requestStream,
            IServerStreamWriter<CoordinatorMessage> responseStream,
            ServerCallContext context
        )
        {
            Assert.True(await requestStream.MoveNext(CancellationToken.None));
            Assert.Equal(ProtocolVersion.Current, requestStream.Current.Join.ProtocolVersion);
            await responseStream.WriteAsync(new CoordinatorMessage { Welcome = welcome() });
        }
    }
}
