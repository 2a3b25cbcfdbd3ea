using System.Net;
using System.Net.Sockets;
using System.Text;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>What machines and strangers do to a run: it goes on, in the same bits, and says what it has to say once.</summary>
public sealed class EnvironmentTests
{
    private const int Clients = 1000;
    private const int KeptOpen = 100;
    private const int MostGrowth = 64 << 20; // bytes; a thousand buffers of 64 KiB

    /// <summary>What strangers say: nothing, noise, the beginnings of HTTP/1, HTTP/2, TLS and a raw stream, and a line without an end.</summary>
    private static readonly byte[][] Noise =
    [
        [],
        [0x00],
        [0xFF, 0xFE, 0xFD, 0x00, 0x01],
        [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC],
        Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        [.. Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0xFF, 0xFF, 0xFF, 0x7F, 0x00],
        Encoding.ASCII.GetBytes(new string('a', 1 << 16)),
        [.. Enumerable.Range(0, 256).Select(value => (byte)((value * 167) + 13))],
    ];

    [Fact]
    public async Task A_thousand_clients_that_speak_garbage_change_nothing()
    {
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.Open(folder, workers: 2, minimum: 2, "--steps", "1000000");
        var address = await coordinator.ListeningAsync();
        var joined = await coordinator.JoinedAsync(2);
        await coordinator.StepsAsync(3);
        string[] addresses = [address, .. joined.Select(worker => worker.Address)];
        foreach (var port in addresses.Select(one => new Uri(one).Port))
            await DisturbAsync(port);
        var before = MemoryOf(coordinator.Id);
        await DisturbAsync(new Uri(address).Port);
        Assert.True(MemoryOf(coordinator.Id) - before < MostGrowth, "the memory that strangers cost is bounded");
        await coordinator.StepsAsync(20);
        Signal.Terminate(coordinator.Id);

        var step = await coordinator.InterruptedAsync();
        var exit = await coordinator.ExitAsync();
        Assert.Equal(143, exit.Code);
        Assert.Equal(exit.Errors.Distinct(), exit.Errors);
        Assert.True(exit.Errors.Count < Noise.Length, exit.ErrorText);
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(step)).State, FinishedRun.StateAfter(folder["run"], step));
    }

    // The runtime by itself holds about 200.
    [Theory]
    [InlineData("peers", "shm")]
    [InlineData("peers", "tcp")]
    [InlineData("coordinator", "grpc")]
    public async Task Processes_that_may_hold_256_descriptors_are_enough(string exchange, string transport)
    {
        using var folder = new TempFolder();
        var options = string.Join(' ', Problem.OddSizes.WriteTo(folder).Select(option => $"'{option}'"));
        await using var shell = RunningProcess.Shell(
            folder.Path,
            $"ulimit -n 256; exec \"$coordinator\" train --quiet {options} --steps 20 --workers 2 --exchange {exchange} --transport {transport} --run run"
        );
        var exit = await shell.ExitAsync();
        Assert.Equal(0, exit.Code);
        Assert.All(exit.Errors, line => Assert.StartsWith("waiting for ", line, StringComparison.Ordinal)); // on a machine that is busy
        Assert.Equal((await Problem.OddSizes.ReferenceAsync(20)).WeightsSha256, FinishedRun.Read(folder["run"]).WeightsSha256);
    }

    [Theory]
    [InlineData("\"$coordinator\" train")]
    [InlineData("\"$worker\" --coordinator http://127.0.0.1:1")]
    public async Task A_limit_of_64_descriptors_is_named_with_the_remedy(string command)
    {
        using var folder = new TempFolder();
        await using var shell = RunningProcess.Shell(folder.Path, $"ulimit -n 64; exec {command}");
        var exit = await shell.ExitAsync();
        Assert.Equal(
            (1, "this process may open 64 files, and needs 256: raise the limit (ulimit -n 256, LimitNOFILE=256, --ulimit nofile=256)"),
            (exit.Code, exit.ErrorText)
        );
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var address = $"http://{taken.LocalEndpoint}";
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.Train(
            folder,
            [.. Problem.OddSizes.WriteTo(folder), "--epochs", "1", "--listen", address, "--run", folder["run"]]
        );
        var exit = await coordinator.ExitAsync();
        Assert.Equal(2, exit.Code);
        Assert.Contains(address, Assert.Single(exit.Errors), StringComparison.Ordinal);

        await using var worker = WorkerProcess.Start(folder, "--coordinator", "http://127.0.0.1:1", "--listen", address);
        exit = await worker.ExitAsync();
        Assert.Equal(2, exit.Code);
        Assert.Contains(address, Assert.Single(exit.Errors), StringComparison.Ordinal);
    }

    // Some leave at once, some stay.
    private static async Task DisturbAsync(int port)
    {
        var open = new List<Socket>();
        for (var client = 0; client < Clients; client++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, port);
            try
            {
                await socket.SendAsync(Noise[client % Noise.Length]);
            }
            catch (SocketException)
            {
                // It was turned away before it had said all.
            }

            if (client % (Clients / KeptOpen) == 0)
                open.Add(socket);
            else
                socket.Dispose();
        }

        open.ForEach(socket => socket.Dispose());
    }

    private static long MemoryOf(int process)
    {
        const int kibibyte = 1024;
        var line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture)
            * kibibyte;
    }
}
