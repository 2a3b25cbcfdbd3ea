using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Distributed.Integration.Support;
using Xunit;

namespace Distributed.Integration.Everyday;

/// <summary>A real Prometheus reads the figures of a real run, and the rules that come with the project tell what they are to tell.</summary>
public sealed class MonitoringTests
{
    private static readonly TimeSpan BetweenQuestions = TimeSpan.FromMilliseconds(100); // Prometheus has no way to wait for a sample

    [Fact]
    public async Task Prometheus_scrapes_a_run_and_knows_its_workers()
    {
        RequirePrometheus();
        using var folder = new TempFolder();
        await using var coordinator = CoordinatorProcess.TrainOddSizes(
            folder,
            ["--workers", "2", "--steps", "1000000", "--dashboard", "http://127.0.0.1:0"]
        );
        var page = new Uri((await coordinator.EventAsync("dashboard")).GetProperty("address").GetString()!);
        await coordinator.EventAsync("workersMeasured");
        var port = FreePort();
        await File.WriteAllTextAsync(folder["prometheus.yml"], Configuration(page), TestContext.Current.CancellationToken);
        await using var prometheus = RunningProcess.Start(
            "prometheus",
            folder.Path,
            ["--config.file=prometheus.yml", "--storage.tsdb.path=tsdb", $"--web.listen-address=127.0.0.1:{port}"]
        );
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

        var step = await AskAsync(client, "distributed_training_step > 0");
        Assert.Equal(page.Authority, step[0].GetProperty("metric").GetProperty("instance").GetString());
        var workers = await AskAsync(client, "distributed_training_speed");
        Assert.Equal(["worker 1", "worker 2"], workers.Select(NameOf).Order());
        var parts = await AskAsync(client, "sum by (worker) (distributed_training_worker_time)");
        Assert.All(parts, part => Assert.Equal(1, ValueOf(part), tolerance: 1e-6));
        Assert.Equal(2, ValueOf((await AskAsync(client, "distributed_training_workers"))[0]));
        Signal.Terminate(coordinator.Id);
        Assert.Equal(143, (await coordinator.ExitAsync()).Code);
    }

    [Fact]
    public async Task The_alert_rules_tell_a_standstill_and_a_straggler_and_nothing_of_a_run_that_goes_well()
    {
        RequirePrometheus();
        await using var test = RunningProcess.Start("promtool", Executables.Monitoring, ["test", "rules", "alerts.test.yml"]);
        var exit = await test.ExitAsync();
        Assert.True(exit.Code == 0, exit.ErrorText);
    }

    private static void RequirePrometheus() =>
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("PATH") ?? "")
                .Split(Path.PathSeparator)
                .Any(path => File.Exists(Path.Combine(path, "prometheus"))),
            "needs Prometheus: apt install prometheus"
        );

    private static string Configuration(Uri page) =>
        $$"""
            global: { scrape_interval: 1s }
            scrape_configs:
              - job_name: training
                static_configs: [{ targets: ["{{page.Authority}}"] }]
            """;

    private static async Task<IReadOnlyList<JsonElement>> AskAsync(HttpClient client, string query)
    {
        using var deadline = new CancellationTokenSource(RunningProcess.Patience);
        using var timer = new PeriodicTimer(BetweenQuestions);
        while (await timer.WaitForNextTickAsync(deadline.Token))
        {
            try
            {
                var text = await client.GetStringAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}", deadline.Token);
                JsonElement[] found = [.. JsonElement.Parse(text).GetProperty("data").GetProperty("result").EnumerateArray()];
                if (found.Length > 0)
                    return found;
            }
            catch (HttpRequestException)
            {
                // It has only been started.
            }
        }

        throw new TimeoutException(query);
    }

    private static string NameOf(JsonElement series) => series.GetProperty("metric").GetProperty("worker").GetString()!.Split(" (")[0];

    private static double ValueOf(JsonElement series) =>
        double.Parse(series.GetProperty("value")[1].GetString()!, System.Globalization.CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
