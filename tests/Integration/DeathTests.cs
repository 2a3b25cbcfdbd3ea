using System.Text.RegularExpressions;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>What dies takes the run down at once, says so in one line, and leaves no process behind.</summary>
public sealed partial class DeathTests
{
    private const string Endless = "1000000";

    [Theory]
    [InlineData("peers", 2, 0)]
    [InlineData("peers", 3, 2)]
    [InlineData("coordinator", 2, 1)]
    public async Task A_killed_worker_ends_the_run_with_a_line_that_names_it(string exchange, int workers, int victim)
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.Train(
            folder,
            [
                .. Problem.OddSizes.WriteTo(folder),
                "--steps",
                Endless,
                "--workers",
                $"{workers}",
                "--exchange",
                exchange,
                "--run",
                folder["run"],
            ]
        );
        var joined = await coordinator.JoinedAsync(workers);
        var reached = await coordinator.StepsAsync(3);
        Signal.Kill(joined[victim].ProcessId);

        var exit = await coordinator.ExitAsync();
        Assert.Equal(1, exit.Code);
        var line = FailureLine().Match(Assert.Single(exit.Errors));
        Assert.True(line.Success, exit.ErrorText);
        Assert.Equal(joined[victim].Name, line.Groups["worker"].Value);
        Assert.Equal($"{joined[victim].ProcessId}", line.Groups["process"].Value);
        Assert.True(long.Parse(line.Groups["step"].ValueSpan) >= reached, exit.ErrorText);
        Assert.Contains("SIGKILL", line.Groups["cause"].Value, StringComparison.Ordinal);
        await ProcessTable.GoneAsync(joined.Select(worker => worker.ProcessId));
    }

    [Theory]
    [InlineData("peers")]
    [InlineData("coordinator")]
    public async Task A_killed_coordinator_leaves_no_worker_behind_and_its_run_goes_on_from_the_last_checkpoint(string exchange)
    {
        using var folder = new TempFolder();
        IReadOnlyList<JoinedWorker> joined;
        await using (
            var coordinator = CoordinatorProcess.Train(
                folder,
                [
                    .. Problem.OddSizes.WriteTo(folder),
                    "--steps",
                    Endless,
                    "--checkpoint-every",
                    "2",
                    "--workers",
                    "2",
                    "--exchange",
                    exchange,
                    "--run",
                    folder["run"],
                ]
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

    [GeneratedRegex(
        @"^error: (?<worker>worker \d+) \(.+, process (?<process>\d+)\) failed at step (?<step>\d+) in (?<phase>[a-z -]+): (?<cause>.+)$"
    )]
    private static partial Regex FailureLine();
}
