using Distributed.Integration.Support;
using Microsoft.Playwright;
using Xunit;

namespace Distributed.Browser;

/// <summary>What a person sees who watches a run in a browser.</summary>
public sealed class WatchingTests(Browsers browsers)
{
    // More steps than any of these runs will make; they are stopped.
    private const string Endless = "1000000";

    private static readonly string[] Free = ["--dashboard", "http://127.0.0.1:0"];

    private static readonly string[] Digits =
    [
        "--data",
        "digits",
        "--model",
        "mlp:64",
        "--workers",
        "2",
        "--threads",
        "1",
        "--schedule",
        "constant",
        "--learning-rate",
        "0.01",
        "--eval-every",
        "100",
        "--checkpoint-every",
        "100",
    ];

    [Fact]
    public async Task A_killed_worker_is_marked_and_a_restarted_coordinator_is_found_again()
    {
        using var folder = new TempFolder();
        await using var window = await browsers.OpenAsync();
        long before;
        await using (var run = await WatchedRun.TrainAsync(folder, [.. Free, .. Digits, "--steps", Endless]))
        {
            await window.Page.GotoAsync(run.Address.ToString());
            await window.PointsAsync(50);
            Assert.Equal("training", await window.Page.Locator("#state-text").TextContentAsync());

            Signal.Kill(run.Worker);
            await window.UntilAsync("document.querySelector('tr.lost') !== null");
            await window.UntilAsync(
                "document.querySelector('[data-mark=lost]') !== null && document.querySelector('[data-kind=lost]') !== null"
            );
            Assert.Contains($"process {run.Worker}", await window.Page.Locator("tr.lost").TextContentAsync(), StringComparison.Ordinal);

            var killed = await window.LastStepAsync();
            await window.StepAsync(killed + 100);
            before = await window.LastStepAsync();
            Signal.Kill(run.Id);
            await window.UntilAsync("document.body.dataset.state === 'reconnecting'");
        }

        await using var resumed = await WatchedRun.TrainAsync(folder, ["--resume"]);
        await window.UntilAsync("document.body.dataset.state === 'training'");
        await window.StepAsync(before + 100);
        Assert.Equal("1", await window.Page.Locator("[data-chart=loss]").GetAttributeAsync("data-first")); // where the run began
        await window.UntilAsync(
            "document.querySelector('[data-mark=lost]') !== null && document.querySelector('[data-mark=resumed]') !== null"
        );
        await window.AssertSoundAsync();
    }

    [Fact]
    public async Task The_report_opens_without_a_server_and_shows_the_curves()
    {
        using var folder = new TempFolder();
        await using (var run = await WatchedRun.TrainAsync(folder, [.. Free, .. Digits, "--steps", "300"]))
            Assert.Equal(0, (await run.ExitAsync()).Code);

        await using var window = await browsers.OpenAsync();
        await window.Page.Context.SetOfflineAsync(true);
        await window.Page.GotoAsync(new Uri(folder["run/report.html"]).ToString());
        await window.StepAsync(300);
        await window.UntilAsync("document.querySelectorAll('[data-chart] canvas').length >= 3");
        Assert.Equal("complete", await window.Page.Locator("#state-text").TextContentAsync());
        Assert.Contains("dense 64 → relu", await window.Page.Locator("#configuration").TextContentAsync(), StringComparison.Ordinal);
        Assert.True(await window.Page.Locator(".pictures img").CountAsync() > 0);
        Assert.Empty(window.NetworkRequests);
        await window.SaveAsync("report");
        await window.AssertSoundAsync();
    }

    [Fact]
    public async Task Names_out_of_data_are_text()
    {
        using var folder = new TempFolder();
        const string Name = "<script>document.title=1</script>";
        // Nothing separates the classes, so that some of each are predicted wrong.
        var rows = Enumerable
            .Range(0, 200)
            .Select(row => $"{row * 7919 % 101},{row * 104729 % 97},{(row * 31 % 3 == 0 ? Name : "<b>other</b>")}");
        await File.WriteAllLinesAsync(folder["data.csv"], ["<i>a</i>,b,class", .. rows]);
        await using (
            var run = await WatchedRun.TrainAsync(
                folder,
                [.. Free, "--data", folder["data.csv"], "--model", "mlp:8", "--epochs", "3", "--workers", "1"]
            )
        )
        {
            Assert.Equal(0, (await run.ExitAsync()).Code);
        }

        await using var window = await browsers.OpenAsync();
        await window.Page.GotoAsync(new Uri(folder["run/report.html"]).ToString());
        var mistakes = await window.Page.Locator("#mistakes").TextContentAsync();
        Assert.Contains(Name, mistakes, StringComparison.Ordinal);
        Assert.Contains("<i>a</i>", mistakes, StringComparison.Ordinal);
        Assert.Equal(0, await window.Page.Locator("#mistakes script, #mistakes i").CountAsync());
        Assert.Contains("run", await window.Page.TitleAsync(), StringComparison.Ordinal);
        await window.AssertSoundAsync();
    }

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task The_page_fits_wide_and_narrow_windows_in_light_and_dark(int width, ColorScheme scheme)
    {
        using var folder = new TempFolder();
        await using var run = await WatchedRun.TrainAsync(folder, [.. Free, .. Digits, "--steps", Endless]);
        await using var window = await browsers.OpenAsync(scheme, width);
        await window.Page.GotoAsync(run.Address.ToString());
        await window.PointsAsync(50);
        Signal.Kill(run.Worker);
        await window.UntilAsync("document.querySelector('[data-mark=joined]') !== null");
        await window.UntilAsync("document.querySelector('.time') !== null && document.querySelector('.pictures img') !== null");
        await window.StepAsync(await window.LastStepAsync() + 200);
        await window.SaveAsync($"{(width < 500 ? "narrow" : "wide")}-{scheme.ToString().ToLowerInvariant()}");
        await window.AssertSoundAsync();
    }
}
