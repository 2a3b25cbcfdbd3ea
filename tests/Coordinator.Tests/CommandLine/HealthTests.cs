using Distributed.Hosting;
using Xunit;

namespace Distributed.Coordinator.Tests.CommandLine;

public sealed class HealthTests
{
    private static readonly Uri AnyPort = new("http://127.0.0.1:0");

    [Fact]
    public async Task AProcessThatServesIsWellUntilItStops()
    {
        await using var app = GrpcServer.CreateBuilder(AnyPort, token: null).Build();
        GrpcServer.MapCommonServices(app, AnyPort);
        var address = (await GrpcServer.StartAsync(app, AnyPort, CancellationToken.None)).ToString();
        var well = await CommandRunner.RunAsync("health", address);
        Assert.Equal((0, "Serving\n"), (well.ExitCode, well.Output));

        await app.StopAsync();
        var gone = await CommandRunner.RunAsync("health", address);
        Assert.Equal((1, ""), (gone.ExitCode, gone.Output));
        Assert.StartsWith($"{address}: ", Assert.Single(gone.Errors), StringComparison.Ordinal);
    }
}
