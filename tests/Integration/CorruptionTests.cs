using System.Text.Json;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>
/// A bit of one worker's weights changes by itself: it is found by the next comparison, what was done since is done again, and the run ends
/// in the weights and the metrics of one that nothing disturbed.
/// </summary>
public sealed class CorruptionTests
{
    private const int Steps = 60;

    [Theory]
    [InlineData("peers", 3, 25, 20, true)]
    [InlineData("peers", 2, 25, 20, false)]
    [InlineData("peers", 3, 40, 20, true)] // where a checkpoint is due: the state must not get its name
    [InlineData("coordinator", 3, 30, 20, true)]
    public async Task A_flipped_bit_is_found_and_what_followed_is_done_again(
        string exchange,
        int workers,
        int step,
        int saved,
        bool isNamed
    )
    {
        using var folder = new TempFolder();
        await using var coordinator = Train(folder, $"2:Flip:0@{step}=0", folder["failed"], workers, exchange);
        var back = await coordinator.EventAsync("rolledBack");
        Assert.Equal(saved, back.GetProperty("step").GetInt64());
        Assert.Contains("worker 2 (", back.GetProperty("reason").GetString(), StringComparison.Ordinal);
        var exit = await coordinator.ExitAsync();
        Assert.Equal((0, ""), (exit.Code, exit.ErrorText));
        var run = FinishedRun.Read(folder["run"]);
        var reference = await Problem.OddSizes.ReferenceAsync(Steps);
        Assert.Equal(reference.WeightsSha256, run.WeightsSha256);
        Assert.Equal(reference.Metrics, run.Metrics);
        var membership = await File.ReadAllLinesAsync(folder["run/membership.jsonl"]);
        Assert.Contains(membership, line => line.Contains("\"event\":\"rolledBack\"", StringComparison.Ordinal));
        Assert.Equal(isNamed, membership.Any(line => line.Contains("\"event\":\"workerLost\"", StringComparison.Ordinal)));
        AssertEachSampleOnce(folder["run/ledger.jsonl"]);
    }

    [Fact]
    public async Task Two_workers_that_differ_twice_end_the_run_which_names_both_and_can_go_on_elsewhere()
    {
        using var folder = new TempFolder();
        await using (var coordinator = Train(folder, "2:Flip:0@25=0", failed: "", workers: 2, "peers"))
        {
            var exit = await coordinator.ExitAsync();
            Assert.Equal(1, exit.Code);
            Assert.Matches(@"worker 2 \(.*worker 1 \(.*no majority says whose state is wrong", exit.ErrorText);
        }

        await using var next = CoordinatorProcess.Train(folder, ["--resume", "--run", folder["run"], "--workers", "2"]);
        Assert.Equal(0, (await next.ExitAsync()).Code);
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(Steps)).WeightsSha256, FinishedRun.Read(folder["run"]).WeightsSha256);
    }

    private static CoordinatorProcess Train(TempFolder folder, string point, string failed, int workers, string exchange) =>
        CoordinatorProcess.TrainOddSizes(
            folder,
            failed.Length > 0 ? [("DISTRIBUTED_FAIL_AT", point), ("DISTRIBUTED_FAIL_FILE", failed)] : [("DISTRIBUTED_FAIL_AT", point)],
            [
                "--steps",
                $"{Steps}",
                "--checkpoint-every",
                "20",
                "--compare-every",
                "10",
                "--workers",
                $"{workers}",
                "--exchange",
                exchange,
                "--ledger",
            ]
        );

    private static void AssertEachSampleOnce(string ledger)
    {
        var lines = File.ReadLines(ledger)
            .Select(line => JsonSerializer.Deserialize<LedgerLine>(line, JsonSerializerOptions.Web)!)
            .ToList();
        Assert.Equal(Enumerable.Range(1, Steps), lines.Select(line => line.Step));
        Assert.All(lines.GroupBy(line => line.Epoch).SkipLast(1), epoch =>
        {
            var samples = epoch.SelectMany(line => line.Samples.Concat(line.Unreported)).Order().ToList();
            Assert.Equal(Enumerable.Range(0, samples.Count), samples);
        });
    }

    private sealed record LedgerLine(int Step, int Epoch, int[] Samples, int[] Unreported);
}
