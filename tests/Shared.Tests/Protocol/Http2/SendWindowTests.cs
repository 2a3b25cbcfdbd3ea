using System.Buffers.Binary;
using Distributed.Protocol.Http2;
using Xunit;

namespace Distributed.Shared.Tests.Protocol.Http2;

public sealed class SendWindowTests
{
    private const int Initial = 65_535;
    private const int Frame = 16_384;

    private readonly SendWindow _window = new();

    [Fact]
    public async Task A_frame_waits_until_both_the_stream_and_the_connection_have_room()
    {
        _window.Charge(Initial);
        var taking = Take(100);
        Grow(stream: 0, 100);
        Assert.False(taking.IsCompleted);
        Grow(stream: 1, 99);
        Assert.False(taking.IsCompleted);
        Grow(stream: 1, 1);
        await taking;

        Assert.False(Take(1).IsCompleted);
    }

    [Fact]
    public async Task Settings_change_the_windows_of_streams_that_are_open_and_the_size_of_frames()
    {
        var taking = Take(Frame + 1);
        Assert.False(taking.IsCompleted);
        _window.Set([.. Setting(0x4, 2 * Initial), .. Setting(0x99, 1), .. Setting(0x5, 4 * Frame)]);
        await taking;

        Grow(stream: 0, 2 * Initial);
        await Take((2 * Initial) - (4 * Frame));
        await Take((4 * Frame) - Frame - 1);
        Assert.False(Take(1).IsCompleted);
    }

    [Fact]
    public async Task A_frame_that_can_never_be_sent_is_refused()
    {
        _window.Set(Setting(0x5, Frame));
        await Assert.ThrowsAsync<IOException>(() => Take(Frame + 1));
    }

    private Task Take(int bytes) => _window.TakeAsync(bytes, TestContext.Current.CancellationToken).AsTask();

    private void Grow(int stream, int bytes)
    {
        Span<byte> payload = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(payload, bytes);
        _window.Grow(stream, payload);
    }

    private static byte[] Setting(ushort name, int value)
    {
        var bytes = new byte[6];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, name);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(2), value);
        return bytes;
    }
}
