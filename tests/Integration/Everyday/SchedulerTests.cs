using System.Net;
using System.Net.Sockets;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration.Everyday;

/// <summary>Container engines and schedulers stop, restart and place processes by rules of their own.</summary>
public sealed class SchedulerTests
{
    private const string Endless = "1000000";

    [Fact]
    public async Task Many_SIGTERMs_are_one_and_the_last_checkpoint_is_written()
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            ["--steps", Endless, "--checkpoint-every", Endless, "--workers", "2"]
        );
        await coordinator.StepsAsync(2);
        for (var i = 0; i < 20; i++)
            Signal.Terminate(coordinator.Id);
        var step = await coordinator.InterruptedAsync();

        Assert.Equal(143, (await coordinator.ExitAsync()).Code);
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(step)).State, FinishedRun.StateAfter(folder["run"], step));
        Assert.Empty(Directory.EnumerateFiles(folder["run"], "*.tmp", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Ctrl_C_before_any_worker_has_joined_ends_at_once()
    {
        using var folder = new TempFolder();
        await using var coordinator = Waiting(folder, workers: 0);
        await coordinator.ListeningAsync();
        Signal.Interrupt(coordinator.Id);
        Assert.Equal(130, (await coordinator.ExitAsync()).Code);
    }

    [Theory]
    [InlineData(Endless, "SIGTERM", 75)]
    [InlineData(Endless, "SIGKILL", 75)]
    [InlineData("5", "", 0)]
    public async Task A_worker_ends_with_0_when_the_run_is_complete_and_with_75_when_it_may_go_on_later(
        string steps,
        string signal,
        int code
    )
    {
        using var folder = new TempFolder();
        await using var coordinator = Listening(folder, [.. Problem.OddSizes.WriteTo(folder), "--run", folder["run"], "--steps", steps]);
        await using var worker = WorkerProcess.Start(
            folder,
            "--coordinator",
            await coordinator.ListeningAsync(),
            "--token-file",
            folder["token"],
            "--threads",
            "1",
            "--coordinator-timeout",
            "2"
        );
        await coordinator.StepsAsync(1);
        if (signal == "SIGTERM")
            Signal.Terminate(coordinator.Id);
        else if (signal == "SIGKILL")
            Signal.Kill(coordinator.Id);
        var exit = await worker.ExitAsync();
        Assert.True(exit.Code == code, $"{exit.Code}: {exit.ErrorText}");
    }

    [Fact]
    public async Task A_worker_that_is_asked_to_leave_ends_with_0()
    {
        using var folder = new TempFolder();
        await using var coordinator = Listening(folder, [.. Problem.OddSizes.WriteTo(folder), "--steps", Endless, "--run", folder["run"]]);
        await using var worker = WorkerProcess.Join(folder, await coordinator.ListeningAsync(), folder["token"]);
        await coordinator.StepsAsync(1);
        Signal.Terminate(worker.Id);
        Assert.Equal(0, (await worker.ExitAsync()).Code);
    }

    [Fact]
    public async Task One_command_begins_a_run_goes_on_with_it_and_finds_it_complete()
    {
        using var folder = new TempFolder();
        string[] options =
        [
            .. Problem.OddSizes.WriteTo(folder),
            "--steps",
            "2000",
            "--workers",
            "2",
            "--resume",
            "auto",
            "--run",
            folder["run"],
        ];
        await using (var first = CoordinatorProcess.Train(folder, options))
        {
            await first.StepsAsync(2);
            Signal.Terminate(first.Id);
            Assert.Equal(143, (await first.ExitAsync()).Code);
        }

        for (var start = 0; start < 2; start++)
        {
            await using var again = CoordinatorProcess.Train(folder, options);
            var exit = await again.ExitAsync();
            Assert.True(exit.Code == 0, exit.ErrorText);
        }

        Assert.Equal((await Problem.OddSizes.ReferenceAsync(2000)).WeightsSha256, FinishedRun.Read(folder["run"]).WeightsSha256);
    }

    [Fact]
    public async Task Workers_that_do_not_come_are_waited_for_aloud_and_not_for_ever()
    {
        using var folder = new TempFolder();
        var options = string.Join(' ', Problem.OddSizes.WriteTo(folder));
        await using var shell = RunningProcess.Shell(
            folder.Path,
            $"$coordinator train {options} --workers 0 --min-workers 3 --listen http://127.0.0.1:0 --join-timeout 1 --run run"
        );
        var exit = await shell.ExitAsync();
        Assert.Equal(1, exit.Code);
        Assert.Contains("0 of 3 workers have joined within 1 seconds", Assert.Single(exit.Errors), StringComparison.Ordinal);
        Assert.True(shell.Lines.TryRead(out var line));
        Assert.Matches(@"^waiting for 3 workers at http://127\.0\.0\.1:[1-9]\d+/$", line);
    }

    [Fact]
    public async Task Workers_do_not_wait_for_a_coordinator_that_has_refused_its_command_line()
    {
        using var folder = new TempFolder();
        await using var worker = WorkerProcess.Join(folder, "http://127.0.0.1:1", folder["token"]);
        await using var coordinator = CoordinatorProcess.Train(
            folder,
            ["--epochs", "-1", "--listen", "http://127.0.0.1:0", "--token-file", folder["token"], "--run", folder["run"]]
        );
        Assert.Equal(2, (await coordinator.ExitAsync()).Code);
        var exit = await worker.ExitAsync();
        Assert.Equal(2, exit.Code);
        Assert.Contains("refused its command line: --epochs -1", exit.ErrorText, StringComparison.Ordinal);

        await using var second = Waiting(folder, workers: 0);
        await second.ListeningAsync();
        Assert.Equal(64, File.ReadAllText(folder["token"]).Trim().Length);
    }

    // A proxy in front of a coordinator that is not there yet; then the coordinator takes its place.
    [Fact]
    public async Task A_worker_tries_again_where_something_else_answers_in_the_coordinators_place()
    {
        using var folder = new TempFolder();
        var port = FreePort();
        using var proxy = new TcpListener(IPAddress.Loopback, port);
        proxy.Start();
        await using var worker = WorkerProcess.Start(
            folder,
            "--coordinator",
            $"http://127.0.0.1:{port}",
            "--insecure",
            "--threads",
            "1",
            "--connect-timeout",
            "60"
        );
        using (var asked = await proxy.AcceptTcpClientAsync().WaitAsync(RunningProcess.Patience))
        {
            await asked.GetStream().WriteAsync("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
        }

        proxy.Stop();
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            ["--steps", "3", "--workers", "0", "--min-workers", "1", "--listen", $"http://127.0.0.1:{port}", "--insecure"]
        );
        Assert.Equal(0, (await worker.ExitAsync()).Code);
        Assert.Equal(0, (await coordinator.ExitAsync()).Code);
    }

    // What Kestrel and the generic host take for their configuration in other programs.
    [Fact]
    public async Task Variables_of_the_environment_open_no_ports()
    {
        using var folder = new TempFolder();
        var (first, second) = (FreePort(), FreePort());
        (string, string)[] environment =
        [
            ("Kestrel__Endpoints__http__Url", $"http://127.0.0.1:{first}"),
            ("ASPNETCORE_URLS", $"http://127.0.0.1:{second}"),
            ("ASPNETCORE_HTTP_PORTS", $"{second}"),
            ("DOTNET_URLS", $"http://127.0.0.1:{second}"),
            ("URLS", $"http://127.0.0.1:{second}"),
            ("AllowedHosts", "nowhere.invalid"),
            ("Logging__LogLevel__Default", "Trace"),
        ];
        var options = Problem.OddSizes.WriteTo(folder);
        await using var coordinator = RunningProcess.Start(
            Executables.Coordinator,
            folder.Path,
            [
                "train",
                .. options,
                "--steps",
                Endless,
                "--workers",
                "1",
                "--min-workers",
                "2",
                "--listen",
                "http://127.0.0.1:0",
                "--token-file",
                folder["token"],
                "--run",
                folder["run"],
            ],
            environment: environment
        );
        using var deadline = new CancellationTokenSource(RunningProcess.Patience);
        Assert.StartsWith("waiting for 2 workers at ", await coordinator.Lines.ReadAsync(deadline.Token), StringComparison.Ordinal);
        while (!(await coordinator.Lines.ReadAsync(deadline.Token)).Contains(" joined from ", StringComparison.Ordinal))
            continue; // the page may be told of before
        foreach (var port in new[] { first, second })
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            Assert.Throws<SocketException>(() => socket.Connect(IPAddress.Loopback, port));
        }

        Assert.Equal("", coordinator.ErrorsSoFar);
    }

    private static CoordinatorProcess Listening(TempFolder folder, IEnumerable<string> options) =>
        CoordinatorProcess.Train(
            folder,
            [.. options, "--workers", "0", "--min-workers", "1", "--listen", "http://127.0.0.1:0", "--token-file", folder["token"]]
        );

    private static CoordinatorProcess Waiting(TempFolder folder, int workers) =>
        CoordinatorProcess.Open(folder, workers, minimum: workers + 1, "--steps", "5");

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
