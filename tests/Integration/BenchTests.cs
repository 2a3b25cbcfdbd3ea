using System.Text.Json;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary><c>bench</c> with real workers, which check the sums that they time.</summary>
public sealed class BenchTests
{
    [Theory]
    [InlineData("auto", 2)]
    [InlineData("grpc", 3)]
    public async Task Each_size_gives_a_line_with_its_time(string transport, int workers)
    {
        using var folder = new TempFolder();
        await using var bench = RunningProcess.Start(
            Executables.Coordinator,
            folder.Path,
            ["bench", "allreduce", "--json", "--workers", $"{workers}", "--transport", transport, "--sizes", "0.1,2", "--steps", "2"]
        );
        var exit = await bench.ExitAsync();
        Assert.True(exit.Code == 0, exit.ErrorText);

        List<JsonElement> lines = [];
        await foreach (var line in bench.Lines.ReadAllAsync())
            lines.Add(JsonElement.Parse(line));
        Assert.Equal([0.1, 2], lines.Select(line => line.GetProperty("mebibytes").GetDouble()));
        Assert.All(lines, line => Assert.True(line.GetProperty("milliseconds").GetDouble() > 0));
        Assert.All(lines, line =>
            Assert.Equal(transport == "auto" && OperatingSystem.IsLinux() ? "shm" : "grpc", line.GetProperty("transport").GetString())
        );
    }

    [Fact]
    public async Task Each_number_of_workers_gives_a_line_and_no_run_is_left()
    {
        using var folder = new TempFolder();
        await using var bench = StartScaling(folder, "--workers", "1,2", "--rounds", "2", "--seconds", "0.05", "--warm-up", "0");
        var exit = await bench.ExitAsync();
        Assert.True(exit.Code == 0, exit.ErrorText);

        var lines = await bench.Lines.ReadAllAsync().Select(line => JsonElement.Parse(line)).ToListAsync();
        Assert.Equal([1, 2], lines.Select(line => line.GetProperty("workers").GetInt32()));
        Assert.Equal(1, lines[0].GetProperty("ratio").GetDouble());
        Assert.Equal(OperatingSystem.IsLinux() ? "shm" : "grpc", lines[1].GetProperty("transport").GetString());
        Assert.All(lines, line => Assert.True(line.GetProperty("samplesPerSecond").GetDouble() > 0));
        Assert.Equal(0, lines[0].GetProperty("bytesPerStep").GetInt64());
        Assert.True(lines[1].GetProperty("allReduceMilliseconds").GetDouble() > 0);
        if (OperatingSystem.IsLinux())
        {
            Assert.All(lines, line =>
                Assert.True(line.GetProperty("peakResidentBytes").GetInt64() > line.GetProperty("accountedBytes").GetInt64())
            );
        }

        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task An_interrupted_benchmark_leaves_no_run()
    {
        using var folder = new TempFolder();
        await using var bench = StartScaling(folder, "--workers", "2", "--seconds", "3600");
        while (Directory.GetFiles(folder.Path, "metrics.jsonl", SearchOption.AllDirectories).Length == 0)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        Signal.Interrupt(bench.Id);

        Assert.Equal(130, (await bench.ExitAsync()).Code);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    private static RunningProcess StartScaling(TempFolder folder, params IEnumerable<string> options) =>
        RunningProcess.Start(
            Executables.Coordinator,
            folder.Path,
            ["bench", "scaling", "--json", "--model", "mlp:9", .. options],
            folder.Path
        );
}
