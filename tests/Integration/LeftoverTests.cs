using System.Globalization;
using System.Text.RegularExpressions;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary>A run that was disturbed leaves its folder, and nothing else.</summary>
public sealed partial class LeftoverTests
{
    // Written beside the run, which does not wait for it.
    private static readonly string[] OfThePage = ["dashboard-port", "report.html"];

    // Of the .NET runtime, which a killed process cannot delete.
    private static readonly string[] OfTheRuntime = ["dotnet-diagnostic-", "clr-debug-pipe-"];

    [Theory]
    [InlineData("peers", "shm")]
    [InlineData("peers", "tcp")]
    [InlineData("coordinator", "grpc")]
    public async Task No_process_socket_lock_shared_memory_or_unfinished_file_is_left(string exchange, string transport)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "looks into /proc");
        using var folder = new TempFolder();
        var temporary = Directory.CreateDirectory(folder["tmp"]).FullName;
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            [("TMPDIR", temporary)],
            [
                "--steps",
                "1000000",
                "--checkpoint-every",
                "5",
                "--workers",
                "3",
                "--exchange",
                exchange,
                "--transport",
                transport,
                "--listen",
                "http://127.0.0.1:0",
                "--token-file",
                folder["token"],
            ]
        );
        var joined = (await coordinator.JoinedAsync(3)).Select(worker => worker.ProcessId).ToList();
        await coordinator.StepsAsync(20);
        HashSet<string> sockets = [.. Processes().SelectMany(SocketsOf)];
        Signal.Kill(joined[0]);
        joined.Add((await coordinator.JoinedAsync(1))[0].ProcessId);
        await coordinator.StepsAsync(20);
        Signal.Stop(joined[1]);
        joined.Add((await coordinator.JoinedAsync(1))[0].ProcessId);
        await coordinator.StepsAsync(20);
        sockets.UnionWith(Processes().SelectMany(SocketsOf));
        Assert.NotEmpty(sockets.Intersect(SocketsOfSystem()));
        Signal.Terminate(coordinator.Id);
        Assert.Equal(143, (await coordinator.ExitAsync()).Code);

        // Shared memory has no names: it goes with the last process that has it open.
        await ProcessTable.GoneAsync(Processes());
        Assert.Empty(sockets.Intersect(SocketsOfSystem()));
        using (new FileStream(folder["run/lock"], FileMode.Open, FileAccess.ReadWrite, FileShare.None)) { }
        Assert.DoesNotContain(Directory.GetFileSystemEntries(temporary).Select(path => Path.GetFileName(path)!), name =>
            !OfTheRuntime.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))
        );
        Assert.Equal(
            ["checkpoints", "config.json", "epoch", "lock", "membership.jsonl", "metrics.jsonl", "run-id"],
            Directory.GetFileSystemEntries(folder["run"]).Select(Path.GetFileName).Except(OfThePage).Order(StringComparer.Ordinal)
        );
        Assert.All(Directory.GetFiles(folder["run/checkpoints"]), path => Assert.EndsWith(".safetensors", path, StringComparison.Ordinal));

        IEnumerable<int> Processes() => joined.Append(coordinator.Id);
    }

    // By inode, which no other test's sockets have.
    private static IEnumerable<string> SocketsOf(int process)
    {
        var descriptors = $"/proc/{process}/fd";
        return Directory.Exists(descriptors) && IsAlive(process)
            ? Directory
                .GetFiles(descriptors)
                .Select(TargetOf)
                .Select(target => Socket().Match(target))
                .Where(match => match.Success)
                .Select(match => match.Groups[1].Value)
            : [];
    }

    private static bool IsAlive(int process) => File.Exists($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/exe");

    private static string TargetOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget ?? "";
        }
        catch (IOException)
        {
            return ""; // it was closed meanwhile
        }
    }

    private static HashSet<string> SocketsOfSystem() =>
        [
            .. new[] { "tcp", "tcp6" }.SelectMany(kind => File.ReadLines($"/proc/net/{kind}").Skip(1)).Select(line => Fields(line)[9]),
            .. File.ReadLines("/proc/net/unix").Skip(1).Select(line => Fields(line)[6]),
        ];

    private static string[] Fields(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex(@"^socket:\[(\d+)\]$")]
    private static partial Regex Socket();
}
