using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>A coordinator that never returns: its workers leave what they hold.</summary>
public sealed class EmergencyTests
{
    // Far more than are done before the coordinator is killed.
    private const long Steps = 6000;

    [Fact]
    public async Task Exactly_one_worker_leaves_the_newest_state_and_the_run_goes_on_from_it_as_if_nothing_had_happened()
    {
        using var folder = new TempFolder();
        var left = await LoseCoordinatorAsync(folder, "peers");
        var file = Assert.Single(left.Files);
        Assert.Single(left.Errors, errors => errors.Contains($"is in {file}: copy it into the run folder", StringComparison.Ordinal));
        Assert.Single(left.Errors, errors => errors.Contains("leaves it as an emergency checkpoint", StringComparison.Ordinal));

        File.Copy(file, folder[$"run/{Path.GetFileName(file)}"]);
        var resumed = await FinishedRun.TrainAsync(folder, "--resume", "--workers", "0");
        var reference = await Problem.OddSizes.ReferenceAsync(Steps);
        Assert.Equal(reference.WeightsSha256, resumed.WeightsSha256);
        Assert.Equal(reference.Metrics, resumed.Metrics);
        Assert.Equal(reference.State, resumed.State);
        Assert.True(File.Exists(folder[$"run/{Path.GetFileName(file)}"]), "the file is the user's");
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_named_and_the_exit_code_stays()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["first"], "", TestContext.Current.CancellationToken); // where the folder is to be made
        await File.WriteAllTextAsync(folder["second"], "", TestContext.Current.CancellationToken);
        var (files, errors) = await LoseCoordinatorAsync(folder, "peers");
        Assert.Empty(files);
        Assert.Single(errors, text =>
            text.Contains("cannot be left in ", StringComparison.Ordinal) && text.Contains("by --emergency-dir", StringComparison.Ordinal)
        );
    }

    // Their coordinator held the moments.
    [Fact]
    public async Task Workers_of_a_parameter_server_leave_nothing()
    {
        using var folder = new TempFolder();
        Assert.Empty((await LoseCoordinatorAsync(folder, "coordinator")).Files);
    }

    private static async Task<(string[] Files, string[] Errors)> LoseCoordinatorAsync(TempFolder folder, string exchange)
    {
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            [
                "--steps",
                $"{Steps}",
                "--checkpoint-every",
                $"{Steps}",
                "--workers",
                "0",
                "--min-workers",
                "2",
                "--exchange",
                exchange,
                "--listen",
                "http://127.0.0.1:0",
                "--token-file",
                folder["token"],
            ]
        );
        var address = await coordinator.ListeningAsync();
        await using var first = Join(folder, address, "first");
        await using var second = Join(folder, address, "second");
        await coordinator.StepsAsync(40);
        Signal.Kill(coordinator.Id);
        await coordinator.ExitAsync();

        Exit[] exits = [await first.ExitAsync(), await second.ExitAsync()];
        Assert.All(exits, exit => Assert.Equal(75, exit.Code));
        string[] folders = [folder["first"], folder["second"]];
        return (
            [.. folders.Where(Directory.Exists).SelectMany(path => Directory.GetFiles(path))],
            [.. exits.Select(exit => exit.ErrorText)]
        );
    }

    private static RunningProcess Join(TempFolder folder, string address, string emergencyDir) =>
        WorkerProcess.Start(
            folder,
            "--coordinator",
            address,
            "--token-file",
            folder["token"],
            "--threads",
            "1",
            "--coordinator-timeout",
            "3",
            "--emergency-dir",
            folder[emergencyDir]
        );
}
