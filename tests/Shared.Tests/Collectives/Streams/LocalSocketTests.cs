using Distributed.Collectives.Transports.Streams;
using Xunit;

namespace Distributed.Shared.Tests.Collectives.Streams;

/// <summary>The way to processes of the same host beside TCP.</summary>
public sealed class LocalSocketTests
{
    public LocalSocketTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "abstract names are Linux's");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_process_of_this_host_is_reached_by_the_name_that_it_tells()
    {
        using var listening = LocalSocket.Listen(out var name);
        var accepting = listening!.AcceptAsync(Token);
        using var near = await LocalSocket.ConnectAsync(name, Token);
        using var far = await accepting;
        await near!.SendAsync(new byte[] { 1, 2, 3 }, Token);
        var received = new byte[3];
        Assert.Equal(3, await far.ReceiveAsync(received, Token));
        Assert.Equal([1, 2, 3], received);
    }

    [Fact]
    public void Two_listeners_have_two_names()
    {
        using var first = LocalSocket.Listen(out var one);
        using var second = LocalSocket.Listen(out var other);
        Assert.NotEqual(one, other);
    }

    [Theory]
    [InlineData("")] // TCP is wanted
    [InlineData("distributed-trainer/0123456789abcdef0123456789abcdef")] // of another host
    [InlineData("other")]
    [InlineData("distributed-trainer/too-long-for-an-address-too-long-for-an-address-too-long-for-an-address-too-long-for-an-address")]
    public async Task Where_no_process_listens_under_a_name_TCP_is_left(string name) =>
        Assert.Null(await LocalSocket.ConnectAsync(name, Token));
}
