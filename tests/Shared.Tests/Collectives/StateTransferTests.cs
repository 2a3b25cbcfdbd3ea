using Distributed.Collectives;
using Distributed.Protocol;
using Google.Protobuf;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

public sealed class StateTransferTests
{
    private const ulong Run = 42;
    private const long Step = 9;

    private static readonly TensorFrame Header = new()
    {
        Run = Run,
        Step = Step,
        Kind = FrameKind.State,
    };

    [Theory]
    [InlineData(1, 5)]
    [InlineData(3, 7)]
    [InlineData(2, WireLimits.FrameElements)]
    [InlineData(3, (2 * WireLimits.FrameElements) + 3)]
    public async Task A_state_arrives_as_it_was_sent(int count, int length)
    {
        var sent = Vectors(count, length, value => value);
        var received = Vectors(count, length, _ => -1);
        var stream = new FrameStream();
        await StateTransfer.SendAsync(stream, Header, [.. sent.Select(vector => (ReadOnlyMemory<float>)vector)], CancellationToken.None);
        await stream.EndAsync();

        var (step, hash) = await StateTransfer.ReceiveAsync(
            stream,
            Run,
            [.. received.Select(vector => vector.AsMemory())],
            CancellationToken.None
        );
        Assert.Equal((Step, ByteString.CopyFrom(StateHash.Of(sent.Select(vector => (ReadOnlyMemory<float>)vector)))), (step, hash));
        Assert.Equal(sent, received);
    }

    [Fact]
    public async Task A_state_that_is_changed_on_its_way_is_refused()
    {
        var sent = new FrameStream();
        await StateTransfer.SendAsync(sent, Header, [new float[8]], CancellationToken.None);
        await sent.EndAsync();
        var changed = new FrameStream();
        while (await sent.MoveNext(CancellationToken.None))
        {
            var frame = new TensorFrame(sent.Current);
            var bytes = frame.Values.ToByteArray();
            bytes[0] ^= (byte)(frame.Part == 0 ? 1 : 0);
            frame.Values = ByteString.CopyFrom(bytes);
            await changed.WriteAsync(frame);
        }

        await changed.EndAsync();
        var exception = await Assert.ThrowsAsync<InvalidDataException>(() =>
            StateTransfer.ReceiveAsync(changed, Run, [new float[8]], CancellationToken.None)
        );
        Assert.Equal("the state after step 9 was changed on its way: its hash is another one", exception.Message);
    }

    internal static class Examples
    {
        public static TheoryData<string, TensorFrame[]> Broken =>
            new()
            {
                { "nothing at all", [] },
                { "an end after the first vector", [Piece(0, 0), Piece(0, 4)] },
                { "an end in the middle of a vector", [Piece(0, 0), Piece(0, 4), Piece(1, 0)] },
                { "an end without a hash", [Piece(0, 0), Piece(0, 4), Piece(1, 0), Piece(1, 4)] },
                { "a gap", [Piece(0, 4)] },
                { "a repetition", [Piece(0, 0), Piece(0, 0)] },
                { "a vector too early", [Piece(1, 0)] },
                { "a vector too many", [Piece(0, 0), Piece(0, 4), Piece(1, 0), Piece(1, 4), Piece(2, 0)] },
                { "another step", [Piece(0, 0), new(Piece(0, 4)) { Step = Step + 1 }] },
                { "another run", [new(Piece(0, 0)) { Run = 7 }] },
                { "something else", [new(Piece(0, 0)) { Kind = FrameKind.Slice }] },
            };
    }

    // Two vectors of eight elements are expected, in frames of four.
    [Theory]
    [MemberData(nameof(Examples.Broken), MemberType = typeof(Examples))]
    internal async Task What_is_not_one_whole_state_is_refused(string what, TensorFrame[] frames)
    {
        var stream = new FrameStream();
        foreach (var frame in frames)
            await stream.WriteAsync(frame.With((long)frame.Offset, new float[4]));
        await stream.EndAsync();

        var received = Vectors(2, 8, _ => 0).Select(vector => vector.AsMemory()).ToList();
        Assert.NotNull(what);
        await Assert.ThrowsAsync<InvalidDataException>(() => StateTransfer.ReceiveAsync(stream, Run, received, CancellationToken.None));
    }

    [Fact]
    public async Task A_frame_longer_than_what_is_left_of_its_vector_is_refused()
    {
        var stream = new FrameStream();
        await stream.WriteAsync(Piece(0, 0).With(0, new float[9]));
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            StateTransfer.ReceiveAsync(stream, Run, [new float[8], new float[8]], CancellationToken.None)
        );
    }

    [Fact]
    public async Task Values_that_are_not_whole_numbers_are_refused()
    {
        var stream = new FrameStream();
        await stream.WriteAsync(new TensorFrame(Piece(0, 0)) { Values = ByteString.CopyFrom(1, 2, 3) });
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            StateTransfer.ReceiveAsync(stream, Run, [new float[8], new float[8]], CancellationToken.None)
        );
    }

    private static TensorFrame Piece(uint part, ulong offset) => new(Header) { Part = part, Offset = offset };

    private static float[][] Vectors(int count, int length, Func<int, float> value) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(vector => Enumerable.Range(0, length).Select(element => value((vector * length) + element)).ToArray()),
        ];
}
