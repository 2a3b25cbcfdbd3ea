using System.Net;
using System.Net.Sockets;
using System.Text;
using Distributed.Protocol.Http2;
using Xunit;

namespace Distributed.Shared.Tests.Protocol.Http2;

/// <summary>What goes over the wire, seen by a plain socket at the other end.</summary>
public sealed class ConnectionsTests : IAsyncLifetime
{
    private const int Stream = 1;

    private static readonly byte[] Preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    private static readonly byte[] Ping = Bytes(new Http2Frame(8, (Http2FrameType)0x6, Flags: 0, Stream: 0), new byte[8]);
    private static readonly byte[] Settings = Bytes(new Http2Frame(0, Http2FrameType.Settings, Flags: 0, Stream: 0), []);

    private readonly ReceiveWatch _watch = new();
    private Socket _near = null!;
    private Socket _far = null!;

    public async ValueTask InitializeAsync()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        listener.Listen();
        _near = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var accepting = listener.AcceptAsync();
        await _near.ConnectAsync(listener.LocalEndPoint!);
        _far = await accepting;
    }

    public ValueTask DisposeAsync()
    {
        _near.Dispose();
        _far.Dispose();
        _watch.Dispose();
        return default;
    }

    [Fact]
    public async Task A_message_is_sent_as_one_frame_between_those_of_the_client()
    {
        await using var connection = new SendingConnection(_near);
        var greeting = Bytes(new Http2Frame(3, Http2FrameType.Data, Flags: 0, Stream), [1, 2, 3]);
        var values = Enumerable.Range(0, 3_000).Select(value => (float)value).ToArray();
        await connection.WriteAsync(Preface, Token);
        await connection.WriteAsync(greeting, Token);
        await connection.SendMessageAsync(new byte[] { 7, 8 }, values, Token);
        await connection.WriteAsync(Ping, Token);

        var bytes = values.SelectMany(BitConverter.GetBytes).ToArray();
        byte[] expected =
        [
            .. Preface,
            .. greeting,
            .. Bytes(new Http2Frame(2 + bytes.Length, Http2FrameType.Data, Flags: 0, Stream), [7, 8, .. bytes]),
            .. Ping,
        ];
        Assert.Equal(expected, await ReceiveAsync(expected.Length));
    }

    [Fact]
    public async Task The_client_gets_all_that_comes_but_permissions_to_send()
    {
        await using var connection = new SendingConnection(_near);
        var permission = Bytes(new Http2Frame(4, Http2FrameType.WindowUpdate, Flags: 0, Stream: 0), [0, 0, 1, 0]);
        await _far.SendAsync((byte[])[.. Settings, .. permission, .. Ping, .. permission]);
        _far.Shutdown(SocketShutdown.Send);

        byte[] expected = [.. Settings, .. Ping];
        Assert.Equal(expected, await ReadAsync(connection));
    }

    [Fact]
    public async Task The_server_gets_all_that_comes_but_the_data_of_the_call_that_is_diverted()
    {
        await using var connection = new ReceivingConnection(_near, _watch);
        var receiver = new Receiver();
        connection.Divert(Stream, receiver);
        var ending = Bytes(new Http2Frame(0, Http2FrameType.Data, Flags: 1, Stream), []);
        var other = Bytes(new Http2Frame(4, Http2FrameType.Data, Flags: 0, Stream + 2), [1, 2, 3, 4]);
        var values = Bytes(new Http2Frame(12, Http2FrameType.Data, Flags: 0, Stream), [0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64]);
        await _far.SendAsync((byte[])[.. Preface, .. Settings, .. values, .. other, .. values, .. ending]);
        _far.Shutdown(SocketShutdown.Send);

        byte[] expected = [.. Preface, .. Settings, .. other, .. ending];
        Assert.Equal(expected, await ReadAsync(connection.Input.AsStream()));
        Assert.Equal([0, 1, 2, 0, 1, 2], receiver.Values);
    }

    [Fact]
    public async Task The_sender_is_permitted_to_send_what_has_been_received()
    {
        await using var connection = new ReceivingConnection(_near, _watch);
        connection.Divert(Stream, new Receiver());
        const int length = 1024 * 1024;
        var frame = Bytes(new Http2Frame(length, Http2FrameType.Data, Flags: 0, Stream), new byte[length]);
        var reading = ReadAsync(connection.Input.AsStream());
        await _far.SendAsync(Preface);
        for (var sent = 0; sent < 4; sent++)
            await _far.SendAsync(frame);
        _far.Shutdown(SocketShutdown.Send);
        await reading;

        byte[] Permission(int stream) => Bytes(new Http2Frame(4, Http2FrameType.WindowUpdate, Flags: 0, stream), [0, 0x40, 0, 0]);
        byte[] expected = [.. Permission(0), .. Permission(Stream)];
        Assert.Equal(expected, await ReceiveAsync(expected.Length));
    }

    [Theory]
    [InlineData(0x8, 12)]
    [InlineData(0x1, 12)]
    [InlineData(0x0, (1024 * 1024) + 4)]
    public async Task A_frame_that_was_not_agreed_on_ends_the_connection(byte flags, int length)
    {
        await using var connection = new ReceivingConnection(_near, _watch);
        connection.Divert(Stream, new Receiver());
        await _far.SendAsync((byte[])[.. Preface, .. Bytes(new Http2Frame(length, Http2FrameType.Data, flags, Stream), [])]);
        await Assert.ThrowsAsync<IOException>(() => ReadAsync(connection.Input.AsStream()));
    }

    [Fact]
    public async Task A_connection_that_ends_in_the_middle_of_a_message_is_an_error()
    {
        await using var connection = new ReceivingConnection(_near, _watch);
        connection.Divert(Stream, new Receiver());
        await _far.SendAsync((byte[])[.. Preface, .. Bytes(new Http2Frame(12, Http2FrameType.Data, Flags: 0, Stream), [1, 2])]);
        _far.Shutdown(SocketShutdown.Send);
        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(connection.Input.AsStream()));
    }

    [Fact]
    public async Task Whoever_waits_for_values_receives_them_without_the_watch()
    {
        _watch.Dispose();
        await using var connection = new ReceivingConnection(_near, _watch);
        var receiver = new Receiver();
        connection.Divert(Stream, receiver);
        var frame = Bytes(new Http2Frame(12, Http2FrameType.Data, Flags: 0, Stream), [0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64]);
        await _far.SendAsync((byte[])[.. Preface, .. frame[..^1]]);
        await _far.SendAsync(frame.AsMemory(frame.Length - 1));
        await Task.Run(() => ReceiveUntil(connection, () => receiver.Values.Count > 0), Token);
        Assert.Equal([0, 1, 2], receiver.Values);

        _far.Shutdown(SocketShutdown.Send);
        await Task.Run(() => ReceiveUntil(connection, () => false), Token);
    }

    [Fact]
    public async Task A_message_that_is_early_waits_with_all_that_follows_until_it_can_be_taken()
    {
        await using var connection = new ReceivingConnection(_near, _watch);
        var receiver = new Receiver { Refusals = 3 };
        connection.Divert(Stream, receiver);
        await _far.SendAsync(
            (byte[])[.. Preface, .. Bytes(new Http2Frame(4, Http2FrameType.Data, Flags: 0, Stream), [0, 0, 128, 63]), .. Ping]
        );
        _far.Shutdown(SocketShutdown.Send);

        byte[] expected = [.. Preface, .. Ping];
        Assert.Equal(expected, await ReadAsync(connection.Input.AsStream()));
        Assert.Equal(-1, receiver.Refusals);
        Assert.Equal([1], receiver.Values);
    }

    [Fact]
    public async Task A_server_that_reads_late_gets_all_that_comes()
    {
        await using var connection = new ReceivingConnection(_near, _watch);
        const int length = 3 * 1024 * 1024;
        byte[] bytes =
        [
            .. Preface,
            .. Bytes(
                new Http2Frame(length, Http2FrameType.Data, Flags: 0, Stream),
                [.. Enumerable.Range(0, length).Select(i => (byte)(i % 251))]
            ),
        ];
        var sending = SendAllAsync(bytes);
        var first = await connection.Input.ReadAtLeastAsync(1024 * 1024, Token); // as much as makes it wait
        connection.Input.AdvanceTo(first.Buffer.Start);

        Assert.Equal(bytes, await ReadAsync(connection.Input.AsStream(), pieceBytes: 4099));
        await sending;
    }

    [Fact]
    public async Task Nothing_is_written_to_where_values_belong_after_the_diversion()
    {
        await using var connection = new ReceivingConnection(_near, _watch);
        var receiver = new Receiver();
        connection.Divert(Stream, receiver);
        await _far.SendAsync((byte[])[.. Preface, .. Bytes(new Http2Frame(8, Http2FrameType.Data, Flags: 0, Stream), [0, 0, 128, 63])]);
        await Task.Run(() => ReceiveUntil(connection, () => receiver.Current.Span.Contains(1)), Token);
        connection.EndDiversion();

        Assert.False(connection.Receive());
        Assert.Empty(receiver.Values);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static byte[] Bytes(Http2Frame frame, byte[] payload)
    {
        var header = new byte[Http2Frame.HeaderBytes];
        frame.Write(header);
        return [.. header, .. payload];
    }

    private async Task<byte[]> ReceiveAsync(int count)
    {
        var bytes = new byte[count];
        for (var received = 0; received < count; )
        {
            received += await _far.ReceiveAsync(bytes.AsMemory(received), Token) is > 0 and var some
                ? some
                : throw new EndOfStreamException();
        }

        return bytes;
    }

    private async Task SendAllAsync(byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length; )
            sent += await _far.SendAsync(bytes.AsMemory(sent), Token);
        _far.Shutdown(SocketShutdown.Send);
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int pieceBytes = 7)
    {
        using var all = new MemoryStream();
        var some = new byte[pieceBytes]; // no divisor of anything
        while (await stream.ReadAsync(some, Token) is > 0 and var count)
            all.Write(some, 0, count);
        return all.ToArray();
    }

    private static void ReceiveUntil(ReceivingConnection connection, Func<bool> isEnough)
    {
        while (connection.Receive() && !isEnough())
            connection.Wait(TimeSpan.FromSeconds(10));
    }

    private sealed class Receiver : IMessageReceiver
    {
        public int PrefixBytes => 0;

        public int Refusals { get; set; }

        public Memory<float> Current { get; private set; }

        public List<float> Values { get; } = [];

        public bool TryBegin(ReadOnlyMemory<byte> first, int length, out int prefix, out Memory<float> values)
        {
            prefix = 0;
            values = Current = new float[length / sizeof(float)];
            return Refusals-- <= 0;
        }

        public void Complete() => Values.AddRange(Current.Span);
    }
}
