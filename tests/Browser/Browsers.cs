using Microsoft.Playwright;
using Xunit;

[assembly: AssemblyFixture(typeof(Distributed.Browser.Browsers))]

namespace Distributed.Browser;

/// <summary>The system's Chromium, one for all tests; each gets windows of its own.</summary>
public sealed class Browsers : IAsyncLifetime
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Starts it, where there is one.</summary>
    public async ValueTask InitializeAsync()
    {
        if (Places.FirstOrDefault(File.Exists) is not { } path)
            return;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new BrowserTypeLaunchOptions
            {
                ExecutablePath = path,
                Args = Environment.IsPrivilegedProcess ? ["--no-sandbox"] : [], // Chromium refuses to run as root with one
            }
        );
    }

    /// <summary>Opens a window that fails on every error that the page meets.</summary>
    /// <param name="scheme">Light or dark.</param>
    /// <param name="width">Its width in pixels.</param>
    internal async Task<Window> OpenAsync(ColorScheme scheme = ColorScheme.Light, int width = 1280)
    {
        Assert.SkipWhen(_browser is null, "needs Chromium: apt install chromium");
        var context = await _browser!.NewContextAsync(
            new BrowserNewContextOptions
            {
                ColorScheme = scheme,
                ViewportSize = new ViewportSize { Width = width, Height = 900 },
                DeviceScaleFactor = width < 500 ? 2 : 1,
            }
        );
        context.SetDefaultTimeout((float)Integration.Support.RunningProcess.Patience.TotalMilliseconds);
        return new Window(context, await context.NewPageAsync());
    }

    /// <summary>Ends it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
    }
}
