using System.Net;
using System.Net.Sockets;
using Distributed.Integration.Support;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Integration;

/// <summary>What cannot work is refused with a clear line and exit code, soon, and nothing is left half-written.</summary>
public sealed class BadInputTests
{
    [Fact]
    public async Task An_occupied_port_is_named_and_nothing_is_written()
    {
        using var occupied = new TcpListener(IPAddress.Loopback, 0);
        occupied.Start();
        using var folder = new TempFolder();
        var address = $"http://{occupied.LocalEndpoint}";
        var exit = await TrainAsync(
            folder,
            [.. Problem.OddSizes.WriteTo(folder), "--epochs", "1", "--listen", address, "--run", folder["run"]]
        );

        Assert.Equal(2, exit.Code);
        Assert.Contains($"--listen {address}", Assert.Single(exit.Errors), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["run"]));
    }

    [Fact]
    public async Task A_folder_that_already_holds_a_run_is_refused_and_left_as_it_is()
    {
        using var folder = new TempFolder();
        string[] options = [.. Problem.FewMicrobatches.WriteTo(folder), "--steps", "2", "--workers", "0"];
        await FinishedRun.TrainAsync(folder, options);
        var before = Content(folder["run"]);
        var exit = await TrainAsync(folder, [.. options, "--run", folder["run"]]);

        Assert.Equal(2, exit.Code);
        Assert.Contains("already holds a run", Assert.Single(exit.Errors), StringComparison.Ordinal);
        Assert.Equal(before, Content(folder["run"]));
    }

    [Fact]
    public async Task A_run_that_another_coordinator_trains_is_refused()
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            ["--steps", "5", "--workers", "0", "--listen", "http://127.0.0.1:0"]
        );
        await coordinator.ListeningAsync();
        var exit = await TrainAsync(folder, "--resume", "--run", folder["run"]);

        Assert.Equal(2, exit.Code);
        Assert.Contains("another coordinator", Assert.Single(exit.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Listening_beyond_this_machine_needs_a_token()
    {
        using var folder = new TempFolder();
        var exit = await TrainAsync(
            folder,
            [.. Problem.OddSizes.WriteTo(folder), "--epochs", "1", "--listen", "http://0.0.0.0:0", "--run", folder["run"]]
        );
        Assert.Equal(2, exit.Code);
        Assert.Contains("--token-file", Assert.Single(exit.Errors), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["run"]));

        await using var worker = WorkerProcess.Start(folder, "--coordinator", "http://127.0.0.1:1", "--listen", "http://0.0.0.0:0");
        exit = await worker.ExitAsync();
        Assert.Equal(2, exit.Code);
        Assert.Contains("--token-file", Assert.Single(exit.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_coordinator_that_is_not_there_is_given_up_on()
    {
        // Bound but not listening: nobody answers, and nobody else can take the port.
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var folder = new TempFolder();
        var address = $"http://{nobody.LocalEndPoint}";
        await using var worker = WorkerProcess.Start(folder, "--coordinator", address, "--connect-timeout", "1");

        var exit = await worker.ExitAsync();
        Assert.Equal(1, exit.Code);
        Assert.StartsWith($"--coordinator {address}: not reached within 1 second", Assert.Single(exit.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_file_that_does_not_appear_is_given_up_on()
    {
        using var folder = new TempFolder();
        await using var worker = WorkerProcess.Start(
            folder,
            "--coordinator",
            "http://127.0.0.1:1",
            "--token-file",
            folder["token"],
            "--connect-timeout",
            "1"
        );

        var exit = await worker.ExitAsync();
        Assert.Equal(2, exit.Code);
        Assert.Contains("has not appeared within 1 second", Assert.Single(exit.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_worker_with_a_wrong_token_or_none_is_turned_away(bool hasToken)
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            ["--steps", "5", "--workers", "0", "--listen", "http://127.0.0.1:0", "--token-file", folder["token"]]
        );
        var address = await coordinator.ListeningAsync();
        File.WriteAllText(folder["wrong"], RunToken.Create().Reveal());
        await using var worker = WorkerProcess.Start(
            folder,
            ["--coordinator", address, .. hasToken ? ["--token-file", folder["wrong"]] : Array.Empty<string>()]
        );

        var exit = await worker.ExitAsync();
        Assert.Equal(2, exit.Code);
        Assert.Contains("token", Assert.Single(exit.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verifying_without_a_temporary_folder_names_it_and_the_remedy()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The folder is named by TMPDIR.");
        using var folder = new TempFolder();
        await FinishedRun.TrainAsync(folder, [.. Problem.FewMicrobatches.WriteTo(folder), "--steps", "2", "--workers", "0"]);
        await using var verifying = RunningProcess.Start(
            Executables.Coordinator,
            folder.Path,
            ["verify", folder["run"], "--workers", "0"],
            folder["nowhere"]
        );

        var exit = await verifying.ExitAsync();
        Assert.Equal(2, exit.Code);
        var error = Assert.Single(exit.Errors);
        Assert.StartsWith($"error: {folder["nowhere"]}", error, StringComparison.Ordinal);
        Assert.EndsWith("name another by the environment variable TMPDIR", error, StringComparison.Ordinal);
    }

    private static async Task<Exit> TrainAsync(TempFolder folder, params IEnumerable<string> options)
    {
        await using var coordinator = CoordinatorProcess.Train(folder, options);
        return await coordinator.ExitAsync();
    }

    private static List<(string, string)> Content(string folder) =>
        [
            .. Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Order()
                .Select(path => (path, Convert.ToHexString(File.ReadAllBytes(path)))),
        ];
}
