using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>
/// Workers that die, or stop, at named points of a step, an evaluation, a snapshot or a transfer of the state: the run ends in the weights
/// and the metrics of one that nothing disturbed. Every kind of point, with transports, exchanges and signals in turn;
/// <c>deploy/prove-failures.sh</c> goes through the whole table.
/// </summary>
public sealed class FailurePointTests
{
    private const int Steps = 60;

    [Theory]
    [InlineData("peers", "tcp", "2:NodesPublished:0@20=9")]
    [InlineData("peers", "grpc", "3:Reduced:0@20=9")]
    [InlineData("peers", "shm", "2:SlicePublished:0@20=9")]
    [InlineData("peers", "tcp", "1:SliceTaken:0@20=9")]
    [InlineData("peers", "shm", "3:RecordPublished:0@20=9")]
    [InlineData("peers", "shm", "0:Snapshot:0@30=9")]
    [InlineData("peers", "shm", "2:Fetch:0@0=9")]
    [InlineData("coordinator", "shm", "1:Begun:0@20=9")]
    [InlineData("coordinator", "grpc", "3:SliceTaken:0@20=9")]
    [InlineData("coordinator", "shm", "1:RecordPublished:0@20=9")]
    [InlineData("coordinator", "tcp", "2:Completed:0@20=9")]
    [InlineData("peers", "shm", "2:Completed:0@20=19")]
    [InlineData("coordinator", "shm", "3:RecordPublished:0@20=19")]
    public async Task A_worker_that_fails_there_takes_nothing_with_it(string exchange, string transport, string point)
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.Train(
            folder,
            [("DISTRIBUTED_FAIL_AT", point), ("DISTRIBUTED_FAIL_FILE", folder["failed"])],
            [
                .. Problem.OddSizes.WriteTo(folder),
                "--steps",
                $"{Steps}",
                "--workers",
                "3",
                "--exchange",
                exchange,
                "--transport",
                transport,
                "--run",
                folder["run"],
            ]
        );
        await coordinator.EventAsync("workerLost");
        var exit = await coordinator.ExitAsync();
        Assert.Equal((0, ""), (exit.Code, exit.ErrorText));
        var run = FinishedRun.Read(folder["run"]);
        var reference = await Problem.OddSizes.ReferenceAsync(Steps);
        Assert.Equal(reference.WeightsSha256, run.WeightsSha256);
        Assert.Equal(reference.Metrics, run.Metrics);
    }

    [Fact]
    public async Task A_step_that_kills_every_worker_that_takes_it_ends_the_run_with_that_finding()
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.Train(
            folder,
            [("DISTRIBUTED_FAIL_AT", "1:Begun:0@20=9")],
            [.. Problem.OddSizes.WriteTo(folder), "--steps", $"{Steps}", "--workers", "1", "--run", folder["run"]]
        );
        var exit = await coordinator.ExitAsync();
        Assert.Equal(1, exit.Code);
        Assert.Matches(
            @"^error: worker \d+ \(.*SIGKILL.*; step \d+ has lost a worker 3 times in a row, which is no accident$",
            exit.ErrorText
        );
    }
}
