using System.Globalization;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>A run that was stopped, anywhere, goes on to the bits of one that was not.</summary>
public sealed class ResumeTests
{
    // More steps than any of these runs will make; they are stopped.
    private const string Endless = "1000000";

    // An epoch has three steps, so both are in the middle of one.
    [Theory]
    [InlineData(2, "peers", 3, "peers")]
    [InlineData(3, "peers", 2, "coordinator")]
    [InlineData(2, "coordinator", 0, "peers")]
    [InlineData(0, "peers", 5, "peers")]
    public async Task A_run_goes_on_in_the_middle_of_an_epoch_with_other_workers(
        int workers,
        string exchange,
        int laterWorkers,
        string laterExchange
    )
    {
        using var folder = new TempFolder();
        await FinishedRun.TrainAsync(
            folder,
            [.. Problem.OddSizes.WriteTo(folder), "--steps", "4", "--workers", Text(workers), "--exchange", exchange]
        );
        var resumed = await FinishedRun.TrainAsync(
            folder,
            ["--resume", "--steps", "8", "--workers", Text(laterWorkers), "--exchange", laterExchange]
        );

        var reference = await Problem.OddSizes.ReferenceAsync(8);
        Assert.Equal(reference.WeightsSha256, resumed.WeightsSha256);
        Assert.Equal(reference.State, resumed.State);
    }

    [Fact]
    public async Task A_terminated_run_ends_with_143_after_a_last_checkpoint_and_goes_on_from_there()
    {
        using var folder = new TempFolder();
        var first = await StopAsync(
            folder,
            2,
            143,
            (coordinator, _) => Signal.Terminate(coordinator.Id),
            [.. Problem.OddSizes.WriteTo(folder), "--steps", Endless, "--checkpoint-every", Endless]
        );
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(first)).State, FinishedRun.StateAfter(folder["run"], first));

        var second = await StopAsync(
            folder,
            3,
            143,
            (coordinator, _) => Signal.Terminate(coordinator.Id),
            ["--resume", "--exchange", "coordinator"]
        );
        Assert.True(second > first, "the resumed run has not gone on");
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(second)).State, FinishedRun.StateAfter(folder["run"], second));
        Assert.False(File.Exists(folder["run/summary.json"]), "an interrupted run is not complete");
    }

    [Theory]
    [InlineData("peers")]
    [InlineData("coordinator")]
    public async Task Ctrl_C_ends_with_130_after_a_last_checkpoint_although_the_workers_get_it_too(string exchange)
    {
        using var folder = new TempFolder();
        var step = await StopAsync(
            folder,
            2,
            130,
            (coordinator, workers) => Signal.Interrupt([.. workers.Select(worker => worker.ProcessId), coordinator.Id]),
            [.. Problem.FewMicrobatches.WriteTo(folder), "--steps", Endless, "--exchange", exchange]
        );

        Assert.Equal((await Problem.FewMicrobatches.ReferenceAsync(step)).State, FinishedRun.StateAfter(folder["run"], step));
    }

    [Fact]
    public async Task A_run_interrupted_while_it_waits_for_workers_ends_and_can_be_resumed()
    {
        using var folder = new TempFolder();
        await using (
            var coordinator = CoordinatorProcess.TrainOddSizes(folder, ["--steps", "4", "--workers", "0", "--listen", "http://127.0.0.1:0"])
        )
        {
            await coordinator.ListeningAsync();
            Signal.Terminate(coordinator.Id);
            Assert.Equal(0, await coordinator.InterruptedAsync());
            Assert.Equal(143, (await coordinator.ExitAsync()).Code);
        }

        var resumed = await FinishedRun.TrainAsync(folder, ["--resume", "--workers", "0"]);
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(4)).WeightsSha256, resumed.WeightsSha256);
    }

    // Starts or resumes a run, lets it do some steps, sends the signal, and returns the step that the run stopped after.
    private static async Task<long> StopAsync(
        TempFolder folder,
        int workerCount,
        int exitCode,
        Action<CoordinatorProcess, IReadOnlyList<JoinedWorker>> signal,
        params IEnumerable<string> options
    )
    {
        await using var coordinator = CoordinatorProcess.Train(
            folder,
            ["--run", folder["run"], "--workers", Text(workerCount), .. options]
        );
        var workers = await coordinator.JoinedAsync(workerCount);
        await coordinator.StepsAsync(5);
        signal(coordinator, workers);
        var step = await coordinator.InterruptedAsync();
        var exit = await coordinator.ExitAsync();
        Assert.Equal((exitCode, ""), (exit.Code, exit.ErrorText));
        await ProcessTable.GoneAsync(workers.Select(worker => worker.ProcessId));
        return step;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
