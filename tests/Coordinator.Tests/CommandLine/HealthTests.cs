using Distributed.Hosting;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class HealthTests
{
    [Fact]
    public async Task AProcessThatServesIsWellUntilItStops()
    {
        using var ports = ListeningPorts.Open(new Uri("http://127.0.0.1:0"));
        await using var app = GrpcServer.CreateBuilder(ports, token: null).Build();
        GrpcServer.MapCommonServices(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        var address = ports.Address.ToString();
        var well = await CommandRunner.RunAsync("health", address);
        Assert.Equal((0, "Serving\n"), (well.ExitCode, well.Output));

        await app.StopAsync(TestContext.Current.CancellationToken);
        var gone = await CommandRunner.RunAsync("health", address);
        Assert.Equal((1, ""), (gone.ExitCode, gone.Output));
        Assert.StartsWith($"{address}: ", Assert.Single(gone.Errors), StringComparison.Ordinal);
    }
}
