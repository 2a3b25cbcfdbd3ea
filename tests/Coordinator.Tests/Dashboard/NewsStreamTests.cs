using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Distributed.Coordinator.Dashboard;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Distributed.Coordinator.Tests.Dashboard;

public sealed class NewsStreamTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly DashboardModel _model;
    private readonly Channel<JsonElement> _written = Channel.CreateUnbounded<JsonElement>();
    private readonly SemaphoreSlim _read = new(0); // lets a write complete

    public NewsStreamTests() => _model = Models.Create(_time);

    public void Dispose() => _read.Dispose();

    [Fact]
    public async Task A_browser_that_stops_reading_holds_up_nobody_and_is_then_up_to_date_at_once()
    {
        var stream = RunAsync(CancellationToken.None);
        await _written.Reader.ReadAsync();
        for (var step = 1; step <= 100_000; step++)
            _model.Apply(Models.Step(step)); // the browser has not read the first message yet
        _time.Advance(100 * NewsStream.Interval);
        Assert.False(_written.Reader.TryRead(out _)); // nothing is queued for it

        _read.Release();
        var news = await _written.Reader.ReadAsync();
        var points = Models.Points(news, "loss");
        Assert.Equal(100_000, points[^1][1]);
        Assert.InRange(points.Count, 1, Curve.DefaultCapacity);

        _model.End();
        _read.Release(2);
        await stream;
    }

    [Fact]
    public async Task The_first_message_has_all_and_the_last_one_the_end()
    {
        _model.Apply(Models.Step(1));
        var stream = RunAsync(CancellationToken.None);
        var first = await _written.Reader.ReadAsync();
        Assert.Equal("first", first.GetProperty("name").GetString());
        Assert.Equal(PageFiles.Version, first.GetProperty("version").GetString());
        Assert.Single(Models.Points(first, "loss"));

        _read.Release(2);
        _model.End();
        var last = await _written.Reader.ReadAsync();
        Assert.Equal("failed", last.GetProperty("progress").GetProperty("state").GetString());
        await stream;
    }

    [Fact]
    public async Task A_browser_that_goes_ends_its_stream()
    {
        using var gone = new CancellationTokenSource();
        var stream = RunAsync(gone.Token);
        await _written.Reader.ReadAsync();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream);
    }

    private Task RunAsync(CancellationToken cancellation) =>
        new NewsStream(_model, _time).RunAsync(
            async (bytes, token) =>
            {
                var text = Encoding.UTF8.GetString(bytes.Span);
                Assert.StartsWith("data: ", text, StringComparison.Ordinal);
                Assert.EndsWith("}\n\n", text, StringComparison.Ordinal);
                Assert.Equal(text.Length - 1, text.IndexOf("\n\n", StringComparison.Ordinal) + 1);
                _written.Writer.TryWrite(JsonElement.Parse(text["data: ".Length..]));
                await _read.WaitAsync(token);
            },
            cancellation
        );
}
