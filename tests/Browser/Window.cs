using System.Collections.Concurrent;
using Distributed.Integration.Support;
using Microsoft.Playwright;
using Xunit;

namespace Distributed.Browser;

/// <summary>A browser window with the page of a run.</summary>
internal sealed class Window : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly ConcurrentQueue<string> _requests = new();

    public Window(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.PageError += (_, error) => _errors.Enqueue(error);
        page.Console += (_, message) =>
        {
            // A coordinator that is gone is no error of the page.
            if (message.Type == "error" && !message.Text.Contains("net::ERR_", StringComparison.Ordinal))
                _errors.Enqueue(message.Text);
        };
        page.Request += (_, request) => _requests.Enqueue(request.Url);
    }

    public IPage Page { get; }

    /// <summary>What was asked for over a network.</summary>
    public IEnumerable<string> NetworkRequests =>
        _requests.Where(url => !url.StartsWith("file:", StringComparison.Ordinal) && !url.StartsWith("data:", StringComparison.Ordinal));

    /// <summary>Waits until an expression of JavaScript is true on the page, which is asked at every change of the page.</summary>
    /// <remarks>Playwright's own way evaluates texts while it waits, which the page's policy forbids to everybody.</remarks>
    public async Task UntilAsync(string condition)
    {
        var waiting = Page.EvaluateAsync(
            $$"""
            () => new Promise(resolve => {
              const observer = new MutationObserver(check);
              function check() {
                if (!({{condition}})) return;
                observer.disconnect();
                resolve();
              }
              observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
              check();
            })
            """
        );
        try
        {
            await waiting.WaitAsync(RunningProcess.Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The page did not come to: {condition}; it shows:\n{await Page.InnerTextAsync("body")}");
        }
    }

    /// <summary>Waits until the loss has so many points.</summary>
    public Task PointsAsync(int count) =>
        UntilAsync($"Number(document.querySelector('[data-chart=loss]')?.dataset.points ?? 0) >= {count}");

    /// <summary>Waits until the loss reaches a step.</summary>
    public Task StepAsync(long step) => UntilAsync($"Number(document.querySelector('[data-chart=loss]')?.dataset.last ?? 0) >= {step}");

    /// <summary>The last step of the loss.</summary>
    public async Task<long> LastStepAsync() =>
        long.Parse(
            await Page.Locator("[data-chart=loss]").GetAttributeAsync("data-last") ?? "0",
            System.Globalization.CultureInfo.InvariantCulture
        );

    /// <summary>Keeps what the window shows beside the tests, for people to look at.</summary>
    public Task SaveAsync(string name) =>
        Page.ScreenshotAsync(
            new PageScreenshotOptions { Path = Path.Combine(AppContext.BaseDirectory, "screenshots", name + ".png"), FullPage = true }
        );

    /// <summary>Nothing went wrong on the page, and nothing reaches over its edge.</summary>
    public async Task AssertSoundAsync()
    {
        Assert.Empty(_errors);
        Assert.True(
            await Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"),
            "the page is wider than the window"
        );
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
