using System.Text.Json;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration;

/// <summary><c>bench allreduce</c> with real workers, which check the sums that they time.</summary>
public sealed class BenchTests
{
    [Theory]
    [InlineData("auto", 2)]
    [InlineData("grpc", 3)]
    public async Task Each_size_gives_a_line_with_its_time(string transport, int workers)
    {
        using var folder = new TempFolder();
        await using var bench = RunningProcess.Start(Executables.Coordinator, folder.Path, [
            "bench", "allreduce", "--json", "--workers", $"{workers}", "--transport", transport, "--sizes", "0.1,2", "--steps", "2"]);
        var exit = await bench.ExitAsync();
        Assert.True(exit.Code == 0, exit.ErrorText);

        List<JsonElement> lines = [];
        await foreach (var line in bench.Lines.ReadAllAsync())
            lines.Add(JsonElement.Parse(line));
        Assert.Equal([0.1, 2], lines.Select(line => line.GetProperty("mebibytes").GetDouble()));
        Assert.All(lines, line => Assert.True(line.GetProperty("milliseconds").GetDouble() > 0));
        Assert.All(lines, line => Assert.Equal(transport == "auto" && OperatingSystem.IsLinux() ? "shm" : "grpc", line.GetProperty("transport").GetString()));
    }
}
