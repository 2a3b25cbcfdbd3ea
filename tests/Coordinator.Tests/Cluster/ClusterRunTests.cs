using System.Collections.Concurrent;
using Distributed.Checkpoints;
using Distributed.Coordinator.Cluster;
using Distributed.Coordinator.Runs;
using Distributed.Hosting;
using Distributed.Protocol;
using Distributed.Training;
using Grpc.Core;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>A run as a worker on the other side of a socket sees it.</summary>
public sealed class ClusterRunTests : IRunObserver, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TaskCompletionSource<string> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<string> _warnings = [];

    void IRunObserver.Report(RunEvent runEvent)
    {
        if (runEvent is Listening listening)
            _address.TrySetResult(listening.Address);
        if (runEvent is RunWarning warning)
            _warnings.Enqueue(warning.Message);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_worker_is_told_why_the_run_has_failed_before_the_server_goes()
    {
        var running = RunAsync();
        using var connection = new Connection(await _address.Task, token: null);
        using var session = await JoinAsync(connection, ProtocolVersion.Current, NumericsVersion.Current);
        Assert.True(await session.ResponseStream.MoveNext(CancellationToken.None));
        var run = session.ResponseStream.Current.Run;
        await session.RequestStream.WriteAsync(
            new WorkerMessage
            {
                Run = run,
                Failure = new Failure { Reason = "no memory" },
            }
        );

        Assert.True(await session.ResponseStream.MoveNext(CancellationToken.None));
        var reason = session.ResponseStream.Current.Dismissal.Reason;
        await session.RequestStream.CompleteAsync();
        Assert.False(await session.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal("worker 1 (host, process 7) failed at step 0 in waiting for work: no memory", reason);
        Assert.Equal(reason, (await Assert.ThrowsAsync<RunFailedException>(() => running)).Message);
    }

    [Theory]
    [InlineData(
        0,
        1,
        "the worker has protocol version 0 and numerics version 1, the coordinator 3 and 1 (0 is a build from before versions were told): "
            + "use the same release on every machine"
    )]
    [InlineData(
        3,
        2,
        "the worker has protocol version 3 and numerics version 2, the coordinator 3 and 1: use the same release on every machine"
    )]
    public async Task A_worker_of_another_version_is_refused_once_in_a_warning_and_the_run_waits_for_others(
        int protocol,
        int numerics,
        string reason
    )
    {
        var running = RunAsync();
        using var connection = new Connection(await _address.Task, token: null);
        for (var attempt = 0; attempt < 2; attempt++)
        {
            using var refused = await JoinAsync(connection, protocol, numerics);
            var refusal = await Assert.ThrowsAsync<RpcException>(() => refused.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal((StatusCode.FailedPrecondition, reason), (refusal.StatusCode, refusal.Status.Detail));
        }

        using var session = await JoinAsync(connection, ProtocolVersion.Current, NumericsVersion.Current);
        Assert.True(await session.ResponseStream.MoveNext(CancellationToken.None));
        var welcome = session.ResponseStream.Current;
        Assert.Equal((1, 3, 1), (welcome.Welcome.Worker, welcome.Welcome.ProtocolVersion, welcome.Welcome.NumericsVersion));
        Assert.Equal(
            [$"a worker on host was refused: {reason}"],
            _warnings.Where(warning => !warning.StartsWith("--insecure", StringComparison.Ordinal))
        );
        await session.RequestStream.WriteAsync(
            new WorkerMessage
            {
                Run = welcome.Run,
                Failure = new Failure { Reason = "enough" },
            }
        );
        await Assert.ThrowsAsync<RunFailedException>(() => running);
    }

    private static async Task<AsyncDuplexStreamingCall<WorkerMessage, CoordinatorMessage>> JoinAsync(
        Connection connection,
        int protocol,
        int numerics
    )
    {
        var session = new Protocol.Cluster.ClusterClient(connection.Calls).Session(deadline: DateTime.UtcNow.AddMinutes(1));
        await session.RequestStream.WriteAsync(
            new WorkerMessage
            {
                Join = new Join
                {
                    Address = "http://127.0.0.1:1",
                    Host = "host",
                    ProcessId = 7,
                    NumericsVersion = numerics,
                    ProtocolVersion = protocol,
                },
            }
        );
        return session;
    }

    private async Task<RunResult> RunAsync()
    {
        var prepared = RunPreparation.Load(new TrainingOptions { Model = "mlp:3", Steps = 3 });
        var cluster = new ClusterOptions
        {
            Workers = 0,
            Listen = "http://127.0.0.1:0",
            Insecure = true,
        };
        using var folder = RunFolder.Create(_folder.File("run"), prepared.Configuration, prepared.Network.Layout);
        var request = new RunRequest(prepared.Configuration, prepared.Dataset, prepared.Network, cluster, folder, prepared.InitialState());
        return await new ClusterRun(TimeProvider.System, ProcessLogs.None).RunAsync(request, this, CancellationToken.None);
    }
}
