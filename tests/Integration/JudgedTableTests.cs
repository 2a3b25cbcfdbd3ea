using System.Globalization;
using System.Text.Json;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>
/// Tables with categories and gaps, class weights and patience, row weights and a held-out part: the same weights, the same metrics, and the
/// same end, whoever does the work and whatever happens to it.
/// </summary>
public sealed class JudgedTableTests
{
    [Theory]
    [InlineData("kind", 1, "coordinator")]
    [InlineData("kind", 2, "peers")]
    [InlineData("kind", 3, "peers")]
    [InlineData("kind", 5, "coordinator")]
    [InlineData("price", 1, "peers")]
    [InlineData("price", 2, "coordinator")]
    [InlineData("price", 3, "coordinator")]
    [InlineData("price", 5, "peers")]
    public async Task Any_number_of_workers_and_either_exchange_end_in_the_same_bits(string name, int workers, string exchange)
    {
        using var folder = new TempFolder();
        var table = Table(name);
        var run = await FinishedRun.TrainAsync(folder, [.. Begin(table, folder), "--workers", Text(workers), "--exchange", exchange]);
        await AssertSameAsync(table, run);
        Assert.Equal(workers, run.Workers);
    }

    [Fact]
    public async Task The_run_with_patience_has_stopped_before_its_end_and_the_best_is_its_model()
    {
        using var folder = new TempFolder();
        await FinishedRun.TrainAsync(folder, [.. Begin(JudgedTable.Classes, folder), "--workers", "0"]);
        var summary = JsonElement.Parse(await File.ReadAllTextAsync(folder["run/summary.json"]));
        Assert.True(summary.GetProperty("stoppedEarly").GetBoolean());
        Assert.InRange(summary.GetProperty("steps").GetInt64(), 6, JudgedTable.Classes.Steps - 2);
        Assert.Equal(summary.GetProperty("steps").GetInt64() - 4, summary.GetProperty("bestStep").GetInt64());
        Assert.True(summary.GetProperty("holdoutLoss").GetDouble() > 0);
    }

    // The epoch of 157 rows has three steps. Step 5 is in its middle, and evaluated only because it is the end.
    [Theory]
    [InlineData("kind", 5, 2, "peers", 2, "coordinator")]
    [InlineData("price", 5, 0, "peers", 2, "peers")]
    public async Task A_run_goes_on_in_the_middle_of_an_epoch(
        string name,
        int stop,
        int workers,
        string exchange,
        int laterWorkers,
        string laterExchange
    )
    {
        using var folder = new TempFolder();
        var table = Table(name);
        await FinishedRun.TrainAsync(
            folder,
            [.. table.WriteTo(folder), "--steps", Text(stop), "--workers", Text(workers), "--exchange", exchange]
        );
        var resumed = await FinishedRun.TrainAsync(
            folder,
            ["--resume", "--steps", Text(table.Steps), "--workers", Text(laterWorkers), "--exchange", laterExchange]
        );
        await AssertSameAsync(table, resumed);
    }

    [Theory]
    [InlineData("kind", "peers", "0:Snapshot:0@4=9")] // with the state that may be the model
    [InlineData("kind", "coordinator", "2:RecordPublished:0@4=9")] // in a step that is evaluated
    [InlineData("price", "peers", "2:Completed:0@5=9")]
    public async Task A_killed_worker_changes_nothing(string name, string exchange, string point)
    {
        using var folder = new TempFolder();
        var table = Table(name);
        await using var coordinator = CoordinatorProcess.Train(
            folder,
            [("DISTRIBUTED_FAIL_AT", point), ("DISTRIBUTED_FAIL_FILE", folder["failed"])],
            [.. Begin(table, folder), "--run", folder["run"], "--workers", "3", "--exchange", exchange]
        );
        await coordinator.EventAsync("workerLost");
        var exit = await coordinator.ExitAsync();
        Assert.Equal((0, ""), (exit.Code, exit.ErrorText));
        await AssertSameAsync(table, FinishedRun.Read(folder["run"]));
    }

    [Fact]
    public async Task A_killed_coordinator_is_followed_by_one_that_stops_at_the_same_step()
    {
        using var folder = new TempFolder();
        var table = JudgedTable.Classes;
        await using (
            var coordinator = CoordinatorProcess.Train(folder, [.. Begin(table, folder), "--run", folder["run"], "--workers", "2"])
        )
        {
            await coordinator.EventAsync("evaluated");
            await coordinator.EventAsync("evaluated");
            Signal.Kill(coordinator.Id);
            await coordinator.ExitAsync();
        }

        await AssertSameAsync(table, await FinishedRun.TrainAsync(folder, ["--resume", "--workers", "0"]));
    }

    // The workers do not hold the data, and keep their states meanwhile.
    [Fact]
    public async Task Workers_that_are_taken_over_stop_at_the_same_step()
    {
        using var folder = new TempFolder();
        var table = JudgedTable.Classes;
        string[] cluster = ["--workers", "0", "--min-workers", "2", "--token-file", folder["token"], "--run", folder["run"]];
        await using var coordinator = CoordinatorProcess.Train(
            folder,
            [.. Begin(table, folder), "--listen", "http://127.0.0.1:0", .. cluster]
        );
        var address = await coordinator.ListeningAsync();
        await using var first = WorkerProcess.Join(folder, address, folder["token"]);
        await using var second = WorkerProcess.Join(folder, address, folder["token"]);
        await coordinator.EventAsync("evaluated");
        Signal.Kill(coordinator.Id);
        await coordinator.ExitAsync();

        await using var successor = CoordinatorProcess.Train(folder, ["--resume", "--listen", address, .. cluster]);
        var exit = await successor.ExitAsync();
        Assert.Equal((0, ""), (exit.Code, exit.ErrorText));
        await AssertSameAsync(table, FinishedRun.Read(folder["run"]));
    }

    [Theory]
    [InlineData("kind", "EnableAVX2")]
    [InlineData("kind", "EnableHWIntrinsic")]
    [InlineData("price", "EnableAVX512")]
    [InlineData("price", "EnableHWIntrinsic")]
    public async Task No_vector_width_changes_a_bit(string name, string instructions)
    {
        using var folder = new TempFolder();
        var table = Table(name);
        await using var coordinator = CoordinatorProcess.Train(
            folder,
            [($"DOTNET_{instructions}", "0")],
            [.. Begin(table, folder), "--run", folder["run"], "--workers", "0"]
        );
        var exit = await coordinator.ExitAsync();
        Assert.Equal((0, ""), (exit.Code, exit.ErrorText));
        await AssertSameAsync(table, FinishedRun.Read(folder["run"]));
    }

    private static JudgedTable Table(string name) => new[] { JudgedTable.Classes, JudgedTable.Prices }.Single(table => table.Name == name);

    private static string[] Begin(JudgedTable table, TempFolder folder) => [.. table.WriteTo(folder), "--steps", Text(table.Steps)];

    private static async Task AssertSameAsync(JudgedTable table, FinishedRun run)
    {
        var reference = await table.ReferenceAsync();
        Assert.Equal(reference.WeightsSha256, run.WeightsSha256);
        Assert.Equal(reference.Metrics, run.Metrics);
        Assert.Equal(reference.Model, run.Model);
        Assert.Equal(reference.State, run.State);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
