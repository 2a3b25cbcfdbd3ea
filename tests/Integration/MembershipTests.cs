using System.Net;
using System.Net.Sockets;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>Workers that join by themselves, late, or leave in the middle: none of it shows in the bits.</summary>
public sealed class MembershipTests
{
    private const string Endless = "1000000";
    private const string AnyPort = "http://127.0.0.1:0";

    [Theory]
    [InlineData("peers")]
    [InlineData("coordinator")]
    public async Task Workers_without_the_data_are_sent_their_samples(string exchange)
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.Open(folder, workers: 1, minimum: 3, "--steps", "7", "--exchange", exchange);
        var address = await coordinator.ListeningAsync();
        await using var second = WorkerProcess.Join(folder, address, folder["token"]);
        await using var third = WorkerProcess.Join(folder, address, folder["token"]);

        Assert.Equal((0, ""), await EndAsync(second));
        Assert.Equal((0, ""), await EndAsync(third));
        Assert.Equal(0, (await coordinator.ExitAsync()).Code);
        var run = FinishedRun.Read(folder["run"]);
        var reference = await Problem.OddSizes.ReferenceAsync(7);
        Assert.Equal((reference.WeightsSha256, 3), (run.WeightsSha256, run.Workers));
        Assert.Equal(reference.Metrics, run.Metrics);
    }

    // The local worker comes first, so that the other one reaches out to it.
    [Fact]
    public async Task A_worker_without_a_token_exchanges_with_the_local_workers_of_an_insecure_run()
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            ["--steps", "3", "--workers", "1", "--min-workers", "2", "--insecure", "--listen", AnyPort]
        );
        var address = await coordinator.ListeningAsync();
        await coordinator.JoinedAsync(1);
        await using var second = WorkerProcess.Start(folder, "--coordinator", address, "--insecure", "--threads", "1");

        Assert.Equal((0, ""), await EndAsync(second));
        Assert.Equal(0, (await coordinator.ExitAsync()).Code);
    }

    // The one that joins late has its whole state from the first, and goes on alone when that leaves.
    [Theory]
    [InlineData("peers")]
    [InlineData("coordinator")]
    public async Task A_late_joiner_takes_over_from_a_worker_that_is_told_to_leave(string exchange)
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.Open(
            folder,
            workers: 1,
            minimum: 1,
            "--steps",
            Endless,
            "--checkpoint-every",
            Endless,
            "--exchange",
            exchange
        );
        var address = await coordinator.ListeningAsync();
        var first = Assert.Single(await coordinator.JoinedAsync(1));
        await coordinator.StepsAsync(5);

        await using var joiner = WorkerProcess.Join(folder, address, folder["token"]);
        await coordinator.JoinedAsync(1);
        await coordinator.StepsAsync(50);
        Signal.Terminate(first.ProcessId);
        var left = await coordinator.EventAsync("workerLeft");
        await coordinator.StepsAsync(50);
        Signal.Terminate(coordinator.Id);

        var step = await coordinator.InterruptedAsync();
        Assert.Equal((143, ""), await EndAsync(coordinator));
        Assert.Equal((75, "the run was interrupted; start this worker again when it goes on"), await EndAsync(joiner));
        Assert.StartsWith(first.Name, left.GetProperty("worker").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, left.GetProperty("workers").GetInt32());
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(step)).State, FinishedRun.StateAfter(folder["run"], step));
    }

    // The port is taken, so that nobody can listen there meanwhile.
    [Fact]
    public async Task A_worker_that_the_others_cannot_reach_is_told_so_and_never_a_member()
    {
        using var folder = new TempFolder();
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var nowhere = $"http://{taken.LocalEndPoint}";
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            ["--steps", Endless, "--checkpoint-every", Endless, "--workers", "1", "--listen", AnyPort, "--token-file", folder["token"]]
        );
        var address = await coordinator.ListeningAsync();
        await coordinator.StepsAsync(5);
        await using var stranger = WorkerProcess.Start(
            folder,
            ["--coordinator", address, "--token-file", folder["token"], "--threads", "1", "--advertise", nowhere]
        );
        var left = await coordinator.EventAsync("workerLeft");
        Assert.Contains($"does not reach it at {nowhere}", left.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Contains("--advertise", left.GetProperty("reason").GetString(), StringComparison.Ordinal);
        var events = await File.ReadAllTextAsync(folder["run/membership.jsonl"]);
        Assert.DoesNotContain("trainingResumed", events, StringComparison.Ordinal); // no view was ended for it
        await using var other = WorkerProcess.Join(folder, address, folder["token"]);
        await coordinator.EventAsync("workerJoined", told =>
            !told.GetProperty("address").GetString()!.StartsWith(nowhere, StringComparison.Ordinal)
        );
        await coordinator.StepsAsync(50);
        Signal.Terminate(coordinator.Id);

        var step = await coordinator.InterruptedAsync();
        Assert.Equal((143, ""), await EndAsync(coordinator));
        Assert.Equal(75, (await other.ExitAsync()).Code);
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(step)).State, FinishedRun.StateAfter(folder["run"], step));
        var membership = await File.ReadAllTextAsync(folder["run/membership.jsonl"]);
        Assert.DoesNotContain("workerLost", membership, StringComparison.Ordinal);
        Assert.Contains($"does not reach it at {nowhere}", (await stranger.KillAsync()).ErrorText, StringComparison.Ordinal); // or it tries again
    }

    [Fact]
    public async Task When_every_worker_is_told_to_leave_the_run_stops_after_a_checkpoint_and_can_go_on()
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            ["--steps", Endless, "--checkpoint-every", Endless, "--workers", "2"]
        );
        var joined = await coordinator.JoinedAsync(2);
        await coordinator.StepsAsync(3);
        foreach (var worker in joined)
            Signal.Terminate(worker.ProcessId);

        var step = await coordinator.InterruptedAsync();
        Assert.Equal(1, (await coordinator.ExitAsync()).Code);
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(step)).State, FinishedRun.StateAfter(folder["run"], step));
    }

    private static async Task<(int Code, string Errors)> EndAsync(RunningProcess process) =>
        (await process.ExitAsync()) is var exit ? (exit.Code, exit.ErrorText) : default;

    private static async Task<(int Code, string Errors)> EndAsync(CoordinatorProcess process) =>
        (await process.ExitAsync()) is var exit ? (exit.Code, exit.ErrorText) : default;
}
