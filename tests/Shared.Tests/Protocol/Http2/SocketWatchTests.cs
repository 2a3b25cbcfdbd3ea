using System.Net;
using System.Net.Sockets;
using Distributed.Protocol.Http2;
using Xunit;

namespace Distributed.Shared.Tests.Protocol.Http2;

public sealed class SocketWatchTests : IAsyncLifetime
{
    private Socket _near = null!;
    private Socket _far = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        listener.Listen();
        _near = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var accepting = listener.AcceptAsync(Token);
        await _near.ConnectAsync(listener.LocalEndPoint!, Token);
        _far = await accepting;
        _near.Blocking = _far.Blocking = false;
    }

    public ValueTask DisposeAsync()
    {
        _near.Dispose();
        _far.Dispose();
        return default;
    }

    [Fact]
    public async Task What_comes_and_the_end_are_told()
    {
        var readable = SocketWatch.Shared.UntilReadableAsync(_near, Token);
        Assert.False(readable.IsCompleted);
        _far.Send([1]);
        await readable;
        _near.Receive(new byte[1]);
        var ended = SocketWatch.Shared.UntilReadableAsync(_near, Token);
        _far.Shutdown(SocketShutdown.Both);
        await ended;
    }

    [Fact]
    public async Task Room_is_told_once_the_other_side_has_read()
    {
        var piece = new byte[64 * 1024];
        long sent = 0,
            received = 0;
        while (_near.Send(piece, SocketFlags.None, out var error) is var count && error == SocketError.Success)
            sent += count;
        var writable = SocketWatch.Shared.UntilWritableAsync(_near, Token);
        Assert.False(writable.IsCompleted);
        while (received < sent)
        {
            await SocketWatch.Shared.UntilReadableAsync(_far, Token);
            received += _far.Receive(piece);
        }

        await writable;
        Assert.True(_near.Send(piece, SocketFlags.None, out _) > 0);
    }

    [Fact]
    public async Task A_socket_that_is_closed_is_waited_for_no_more()
    {
        var readable = SocketWatch.Shared.UntilReadableAsync(_near, Token);
        _near.Dispose();
        SocketWatch.Shared.Forget(_near);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => readable);
        var next = SocketWatch.Shared.UntilReadableAsync(_far, Token);
        await next; // the others are watched as before
    }

    [Fact]
    public async Task Sockets_are_forgotten_while_others_are_told_of()
    {
        using var other = new Socket(SocketType.Dgram, ProtocolType.Udp);
        using var ending = new CancellationTokenSource();
        var forgetting = Task.Run(() =>
        {
            while (!ending.IsCancellationRequested)
                SocketWatch.Shared.Forget(other);
        });
        for (var turn = 0; turn < 2000; turn++)
        {
            var readable = SocketWatch.Shared.UntilReadableAsync(_near, Token);
            _far.Send([1]);
            await readable;
            _near.Receive(new byte[1]);
        }

        await ending.CancelAsync();
        await forgetting;
    }

    [Fact]
    public async Task Waiting_can_be_given_up()
    {
        using var giving = new CancellationTokenSource();
        var readable = SocketWatch.Shared.UntilReadableAsync(_near, giving.Token);
        await giving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => readable);
    }
}
