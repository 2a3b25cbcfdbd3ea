using System.Net;
using System.Net.Sockets;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Shared.Tests.Protocol;

/// <summary>The way to processes of the same host beside TCP.</summary>
public sealed class LocalSocketTests : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public LocalSocketTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "abstract names are Linux's");
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public void Dispose() => _listener.Dispose();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_process_of_this_host_is_reached_beside_its_port(string host)
    {
        using var listening = LocalSocket.Listen(_listener.LocalEndPoint);
        var accepting = listening!.AcceptAsync(Token);
        using var near = await LocalSocket.ConnectAsync(host, Port, Token);
        using var far = await accepting;
        await near!.SendAsync(new byte[] { 1, 2, 3 }, Token);
        var received = new byte[3];
        Assert.Equal(3, await far.ReceiveAsync(received, Token));
        Assert.Equal([1, 2, 3], received);
    }

    [Fact]
    public async Task Where_nobody_listens_beside_the_port_there_is_no_such_way() =>
        Assert.Null(await LocalSocket.ConnectAsync("127.0.0.1", Port, Token));

    [Theory]
    [InlineData("192.0.2.7")]
    [InlineData("worker-2.example")]
    public async Task Other_hosts_are_reached_by_TCP_even_where_somebody_listens_here(string host)
    {
        using var listening = LocalSocket.Listen(_listener.LocalEndPoint);
        Assert.Null(await LocalSocket.ConnectAsync(host, Port, Token));
    }

    [Fact]
    public void A_name_that_is_taken_leaves_TCP()
    {
        using var first = LocalSocket.Listen(_listener.LocalEndPoint);
        Assert.NotNull(first);
        Assert.Null(LocalSocket.Listen(_listener.LocalEndPoint));
    }

    [Fact]
    public void An_endpoint_without_a_port_has_no_such_way() => Assert.Null(LocalSocket.Listen(new UnixDomainSocketEndPoint("\0other")));
}
