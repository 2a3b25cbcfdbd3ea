using Distributed.Checkpoints;
using Distributed.Coordinator.Cluster;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

/// <summary>A run as a worker on the other side of a socket sees it.</summary>
public sealed class ClusterRunTests : IRunObserver, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TaskCompletionSource<string> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    void IRunObserver.Report(RunEvent runEvent)
    {
        if (runEvent is Listening listening)
            _address.TrySetResult(listening.Address);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_worker_is_told_why_the_run_has_failed_before_the_server_goes()
    {
        var running = RunAsync();
        using var connection = new Connection(await _address.Task, token: null);
        using var session = new Protocol.Cluster.ClusterClient(connection.Calls).Session(deadline: DateTime.UtcNow.AddMinutes(1));
        await session.RequestStream.WriteAsync(
            new WorkerMessage
            {
                Join = new Join
                {
                    Address = "http://127.0.0.1:1",
                    Host = "host",
                    ProcessId = 7,
                    NumericsVersion = NumericsVersion.Current,
                },
            }
        );
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
        return await new ClusterRun(TimeProvider.System).RunAsync(request, this, CancellationToken.None);
    }
}
