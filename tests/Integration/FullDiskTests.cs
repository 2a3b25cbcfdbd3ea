using System.Globalization;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>A disk that is full in the middle of a run neither ends nor harms the training.</summary>
public sealed class FullDiskTests
{
    private const int Mebibytes = 16;
    private const string Endless = "1000000";

    [Theory]
    [InlineData(0, "peers")]
    [InlineData(2, "peers")]
    [InlineData(2, "coordinator")]
    public async Task Training_goes_on_and_everything_is_written_when_there_is_room_again(int workers, string exchange)
    {
        using var folder = new TempFolder();
        await using var disk = await SmallDisk.MountAsync(folder["disk"], Mebibytes);
        var run = Path.Combine(disk.Path, "run");
        await using var coordinator = Train(folder, run, workers, exchange, Endless);
        await coordinator.EventAsync("checkpointSaved");
        disk.Fill();
        string[] awaited = ["the checkpoint of step ", "metrics.jsonl: cannot be written "];
        while (awaited.Length > 0)
        {
            var warning = (await coordinator.EventAsync("warning")).GetProperty("message").GetString()!;
            Assert.Contains("make room there, or make it writable", warning, StringComparison.Ordinal);
            awaited = [.. awaited.Where(text => !warning.Contains(text, StringComparison.Ordinal))];
        }

        await coordinator.StepsAsync(30);
        AssertWhole(run);
        disk.Empty();
        await coordinator.EventAsync("checkpointSaved");
        Signal.Terminate(coordinator.Id);
        var step = await coordinator.InterruptedAsync();
        var exit = await coordinator.ExitAsync();

        Assert.Equal((143, ""), (exit.Code, exit.ErrorText));
        var reference = await Problem.OddSizes.ReferenceAsync(step);
        Assert.Equal(reference.State, FinishedRun.StateAfter(run, step));
        Assert.StartsWith(await File.ReadAllTextAsync(Path.Combine(run, "metrics.jsonl")), reference.Metrics, StringComparison.Ordinal);
        AssertWhole(run);
    }

    [Fact]
    public async Task A_run_that_ends_on_a_full_disk_says_what_is_missing_and_gets_it_by_being_resumed()
    {
        const long steps = 3000;
        using var folder = new TempFolder();
        await using var disk = await SmallDisk.MountAsync(folder["disk"], Mebibytes);
        var run = Path.Combine(disk.Path, "run");
        await using (var coordinator = Train(folder, run, 2, "peers", $"{steps}"))
        {
            await coordinator.EventAsync("checkpointSaved");
            disk.Fill();
            var exit = await coordinator.ExitAsync();
            Assert.Equal(1, exit.Code);
            Assert.EndsWith($"and go on with: train --resume --run {run}", Assert.Single(exit.Errors), StringComparison.Ordinal);
        }

        AssertWhole(run);
        disk.Empty();
        await using var resumed = CoordinatorProcess.Train(folder, "--resume", "--run", run, "--workers", "0");
        Assert.Equal(0, (await resumed.ExitAsync()).Code);
        var (finished, reference) = (FinishedRun.Read(run), await Problem.OddSizes.ReferenceAsync(steps));
        Assert.Equal(reference.WeightsSha256, finished.WeightsSha256);
        Assert.Equal(reference.Metrics, finished.Metrics);
    }

    private static CoordinatorProcess Train(TempFolder folder, string run, int workers, string exchange, string steps) =>
        CoordinatorProcess.Train(
            folder,
            [
                .. Problem.OddSizes.WriteTo(folder),
                "--steps",
                steps,
                "--checkpoint-every",
                "10",
                "--workers",
                workers.ToString(CultureInfo.InvariantCulture),
                "--exchange",
                exchange,
                "--run",
                run,
            ]
        );

    // No part of a file, or of a line, stands under its name at any moment.
    private static void AssertWhole(string run)
    {
        var text = File.ReadAllText(Path.Combine(run, "metrics.jsonl"));
        Assert.All(text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries), line =>
            Assert.Matches(@"^\{.*\}$", line)
        );
        var sizes = Directory.GetFiles(Path.Combine(run, "checkpoints"), "step-*.safetensors").Select(path => new FileInfo(path).Length);
        Assert.Single(sizes.Select(size => size / 100).Distinct()); // a step's number has more digits later
    }
}
