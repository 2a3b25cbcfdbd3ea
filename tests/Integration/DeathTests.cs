using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>What dies takes nothing with it, is told in one line, and leaves no process behind.</summary>
public sealed class DeathTests
{
    private const string Endless = "1000000";

    // The one that dies is replaced; whoever trained what, it ends in the same bits.
    [Theory]
    [InlineData("peers", "shm", 1, 0)]
    [InlineData("peers", "tcp", 3, 2)]
    [InlineData("peers", "grpc", 2, 1)]
    [InlineData("coordinator", "tcp", 2, 0)]
    public async Task A_killed_worker_takes_nothing_with_it(string exchange, string transport, int workers, int victim)
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            ["--steps", Endless, "--checkpoint-every", "50", "--workers", $"{workers}", "--exchange", exchange, "--transport", transport]
        );
        var joined = await coordinator.JoinedAsync(workers);
        await coordinator.StepsAsync(3);
        Signal.Kill(joined[victim].ProcessId);
        var lost = await coordinator.EventAsync("workerLost");
        var successor = Assert.Single(await coordinator.JoinedAsync(1));
        await coordinator.StepsAsync(50);
        Signal.Terminate(coordinator.Id);

        var step = await coordinator.InterruptedAsync();
        var exit = await coordinator.ExitAsync();
        Assert.Equal((143, ""), (exit.Code, exit.ErrorText));
        Assert.StartsWith(joined[victim].Name, lost.GetProperty("worker").GetString(), StringComparison.Ordinal);
        Assert.Contains("SIGKILL", lost.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(step)).State, FinishedRun.StateAfter(folder["run"], step));
        Assert.Contains("\"event\":\"workerLost\"", await File.ReadAllTextAsync(folder["run/membership.jsonl"]), StringComparison.Ordinal);
        await ProcessTable.GoneAsync([.. joined.Select(worker => worker.ProcessId), successor.ProcessId]);
    }

    // Stopped processes say nothing and close nothing.
    [Theory]
    [InlineData("peers")]
    [InlineData("coordinator")]
    public async Task A_worker_that_stays_stopped_is_found_and_the_others_go_on(string exchange)
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.Train(
            folder,
            [.. Problem.OddSizes.WriteTo(folder), "--steps", Endless, "--workers", "3", "--exchange", exchange, "--run", folder["run"]]
        );
        var joined = await coordinator.JoinedAsync(3);
        await coordinator.StepsAsync(3);
        Signal.Stop(joined[1].ProcessId);
        var lost = await coordinator.EventAsync("workerLost");
        await coordinator.EventAsync("trainingResumed");
        await coordinator.StepsAsync(20);
        Signal.Terminate(coordinator.Id);

        var step = await coordinator.InterruptedAsync();
        Assert.Equal(143, (await coordinator.ExitAsync()).Code);
        Assert.StartsWith(joined[1].Name, lost.GetProperty("worker").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("silent for 3 seconds", lost.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(step)).State, FinishedRun.StateAfter(folder["run"], step));
        await ProcessTable.GoneAsync(joined.Select(worker => worker.ProcessId)); // the stopped one is killed
    }

    [Theory]
    [InlineData("peers")]
    [InlineData("coordinator")]
    public async Task A_killed_coordinator_leaves_no_worker_behind_and_its_run_goes_on_from_the_last_checkpoint(string exchange)
    {
        using var folder = new TempFolder();
        IReadOnlyList<JoinedWorker> joined;
        await using (
            var coordinator = CoordinatorProcess.TrainOddSizes(
                folder,
                ["--steps", Endless, "--checkpoint-every", "2", "--workers", "2", "--exchange", exchange]
            )
        )
        {
            joined = await coordinator.JoinedAsync(2);
            await coordinator.EventAsync("checkpointSaved");
            Signal.Kill(coordinator.Id);
            await coordinator.ExitAsync();
        }

        await ProcessTable.GoneAsync(joined.Select(worker => worker.ProcessId));
        await using var resumed = CoordinatorProcess.Train(folder, "--resume", "--run", folder["run"], "--workers", "2");
        await resumed.StepsAsync(3);
        Signal.Terminate(resumed.Id);
        var step = await resumed.InterruptedAsync();
        Assert.Equal(143, (await resumed.ExitAsync()).Code);
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(step)).State, FinishedRun.StateAfter(folder["run"], step));
    }

    // The workers keep their states, and the coordinator that takes the run over goes on where they are.
    [Fact]
    public async Task A_killed_coordinators_successor_goes_on_with_the_workers_where_they_are()
    {
        using var folder = new TempFolder();
        string[] cluster = ["--workers", "0", "--min-workers", "2", "--token-file", folder["token"], "--run", folder["run"]];
        await using var coordinator = CoordinatorProcess.Train(
            folder,
            [
                .. Problem.OddSizes.WriteTo(folder),
                "--steps",
                Endless,
                "--checkpoint-every",
                Endless,
                "--eval-every",
                "7",
                "--listen",
                "http://127.0.0.1:0",
                .. cluster,
            ]
        );
        var address = await coordinator.ListeningAsync();
        await using var first = WorkerProcess.Join(folder, address, folder["token"]);
        await using var second = WorkerProcess.Join(folder, address, folder["token"]);
        var reached = await coordinator.StepsAsync(40);
        Signal.Kill(coordinator.Id);
        await coordinator.ExitAsync();

        await using var successor = CoordinatorProcess.Train(folder, ["--resume", "--listen", address, .. cluster]);
        var started = await successor.EventAsync("runStarted");
        Assert.True(started.GetProperty("firstStep").GetInt64() > reached, started.ToString());
        await successor.StepsAsync(40);
        Signal.Terminate(successor.Id);
        var step = await successor.InterruptedAsync();
        Assert.Equal(143, (await successor.ExitAsync()).Code);
        Assert.Equal(75, (await first.ExitAsync()).Code);
        Assert.Equal(75, (await second.ExitAsync()).Code);
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(step)).State, FinishedRun.StateAfter(folder["run"], step));
        var steps = File.ReadLines(folder["run/metrics.jsonl"])
            .Select(line => System.Text.Json.JsonElement.Parse(line))
            .Where(line => line.TryGetProperty("loss", out _))
            .Select(line => line.GetProperty("step").GetInt64());
        Assert.Equal(Enumerable.Range(1, (int)step).Select(number => (long)number), steps);
    }

    [Theory]
    [InlineData(0, "peers")]
    [InlineData(2, "peers")]
    [InlineData(2, "coordinator")]
    public async Task A_loss_that_is_not_finite_ends_the_run_with_its_step_and_the_remedies(int workers, string exchange)
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.Train(
            folder,
            [
                .. Problem.Diverging.WriteTo(folder),
                "--epochs",
                "10",
                "--workers",
                $"{workers}",
                "--exchange",
                exchange,
                "--run",
                folder["run"],
            ]
        );
        var joined = await coordinator.JoinedAsync(workers);

        var exit = await coordinator.ExitAsync();
        Assert.Equal(1, exit.Code);
        var line = Assert.Single(exit.Errors);
        Assert.Matches(workers == 0 ? "at step [0-9]+" : @"worker \d+ \(.+\).* at step [0-9]+", line);
        Assert.Contains("diverged; lower --learning-rate", line, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["run/summary.json"]), "a run that failed is not complete");
        await ProcessTable.GoneAsync(joined.Select(worker => worker.ProcessId));
    }
}
