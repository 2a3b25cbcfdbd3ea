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
    private static readonly string[] HangTimeout = ["--hang-timeout", "2"];

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
    [InlineData("peers", "shm", "2:NodesPublished:0@20=hang")]
    [InlineData("peers", "tcp", "3:Reduced:0@20=hang")]
    [InlineData("peers", "grpc", "0:Snapshot:0@30=hang")]
    [InlineData("peers", "tcp", "2:Fetch:0@0=hang")]
    [InlineData("coordinator", "shm", "1:RecordPublished:0@20=hang")]
    [InlineData("peers", "shm", "2:Completed:0@20=19")]
    [InlineData("coordinator", "shm", "3:RecordPublished:0@20=19")]
    public async Task A_worker_that_fails_there_takes_nothing_with_it(string exchange, string transport, string point)
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            [("DISTRIBUTED_FAIL_AT", point), ("DISTRIBUTED_FAIL_FILE", folder["failed"])],
            [
                "--steps",
                $"{Steps}",
                "--workers",
                "3",
                "--exchange",
                exchange,
                "--transport",
                transport,
                .. point.EndsWith("hang", StringComparison.Ordinal) ? HangTimeout : [],
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
    public async Task A_worker_of_another_machine_that_hangs_is_given_up_and_its_process_ends_so_that_it_can_be_started_again()
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            [
                "--steps",
                "1000000",
                "--workers",
                "1",
                "--min-workers",
                "2",
                "--listen",
                "http://127.0.0.1:0",
                "--token-file",
                folder["token"],
                .. HangTimeout,
            ]
        );
        var address = await coordinator.ListeningAsync();
        await using var hanging = RunningProcess.Start(
            Executables.Worker,
            folder.Path,
            ["--coordinator", address, "--token-file", folder["token"], "--threads", "1"],
            environment: [("DISTRIBUTED_FAIL_AT", "0:NodesPublished:0@20=hang")]
        );
        await coordinator.EventAsync("workerLost", told =>
            told.GetProperty("reason")
                .GetString()!
                .StartsWith("its computation has made no progress for 2 seconds in step ", StringComparison.Ordinal)
        );
        await coordinator.StepsAsync(20);
        Signal.Terminate(coordinator.Id);
        var step = await coordinator.InterruptedAsync();
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(step)).State, FinishedRun.StateAfter(folder["run"], step));
        var exit = await hanging.ExitAsync();
        Assert.Equal(75, exit.Code);
        Assert.EndsWith(
            "the computation of this worker hangs, so that its process ends: start it again",
            exit.ErrorText,
            StringComparison.Ordinal
        );
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
