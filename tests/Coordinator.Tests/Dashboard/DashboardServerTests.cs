using System.Net;
using System.Net.Sockets;
using System.Text;
using Distributed.Coordinator.Dashboard;
using Xunit;

namespace Distributed.Coordinator.Tests.Dashboard;

public sealed class DashboardServerTests : IAsyncLifetime
{
    private static readonly Uri AnyPort = new("http://127.0.0.1:0");

    private readonly DashboardModel _model = Models.Create();
    private DashboardServer _server = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await DashboardServer.StartAsync(AnyPort, _model, TimeProvider.System);
        _client = new HttpClient { BaseAddress = _server.Address };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("/", "text/html")]
    [InlineData("/page.css", "text/css")]
    [InlineData("/page.js", "text/javascript")]
    [InlineData("/echarts.js", "text/javascript")]
    [InlineData("/run.json", "application/json")]
    [InlineData("/metrics", "text/plain")]
    public async Task The_page_is_served_and_may_load_nothing_from_elsewhere(string path, string type)
    {
        using var response = await _client.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_script_that_a_browser_has_is_not_sent_again()
    {
        using var first = await _client.GetAsync("/echarts.js");
        Assert.True(first.Headers.CacheControl!.NoCache); // asked for again, since another run may be of another version
        using var again = new HttpRequestMessage(HttpMethod.Get, "/echarts.js");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await _client.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Equal(first.Headers.ETag, second.Headers.ETag);
        using var other = new HttpRequestMessage(HttpMethod.Get, "/echarts.js");
        other.Headers.IfNoneMatch.Add(new("\"other\""));
        using var third = await _client.SendAsync(other);
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
    }

    [Fact]
    public async Task Another_sites_name_for_this_machine_is_refused_with_the_right_address()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/run.json") { Headers = { Host = "evil.example" } };
        using var response = await _client.SendAsync(request);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, response.StatusCode);
        Assert.Equal(
            $"This page is not served under the name 'evil.example'. Open {_server.Address} instead.\n",
            await response.Content.ReadAsStringAsync()
        );
    }

    [Fact]
    public async Task A_request_without_a_host_is_refused() =>
        Assert.StartsWith("HTTP/1.1 421", await AskAsync("GET / HTTP/1.0\r\n\r\n"), StringComparison.Ordinal);

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    public async Task The_page_can_only_be_read(string method)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/");
        using var response = await _client.SendAsync(request);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal("This page can only be read.\n", await response.Content.ReadAsStringAsync());
        Assert.Equal(["GET", "HEAD"], response.Content.Headers.Allow.Order());
    }

    [Fact]
    public async Task Heads_are_answered_without_a_body()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, "/echarts.js");
        using var response = await _client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(response.Content.Headers.ContentLength > 100_000);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("/config.json")]
    [InlineData("/../config.json")]
    [InlineData("/metrics.jsonl")]
    [InlineData("/page.cs")]
    public async Task There_is_nothing_else(string path)
    {
        using var response = await _client.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task A_browser_is_told_at_the_end_how_it_ended()
    {
        using var response = await _client.GetAsync("/news", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("retry: 1000", await reader.ReadLineAsync());
        _model.Apply(new Distributed.Coordinator.Runs.RunInterrupted(7, "runs/first"));
        _model.End();
        Assert.Contains("\"interrupted\"", await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_browser_that_never_reads_does_not_hold_up_the_end()
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes("GET /news HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        var first = new byte[1];
        Assert.Equal(1, await socket.ReceiveAsync(first)); // it is served by now, and reads no more
        for (var step = 1; step <= 10_000; step++)
            _model.Apply(Models.Step(step, step));
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_port_that_is_taken_is_a_failure_that_names_no_more_than_the_reason()
    {
        var failure = await Assert.ThrowsAsync<IOException>(() => DashboardServer.StartAsync(_server.Address, _model, TimeProvider.System));
        Assert.Contains("address already in use", failure.Message, StringComparison.Ordinal);
    }

    private async Task<string> AskAsync(string request)
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(new NetworkStream(socket));
        return await reader.ReadToEndAsync();
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, _server.Address.Port);
        return socket;
    }
}
