using Distributed.Collectives;
using Distributed.Protocol;
using Xunit;

namespace Distributed.Shared.Tests.Collectives;

public sealed class StateTransferTests
{
    private const ulong Run = 42;
    private const long Step = 9;

    private static readonly FrameHeader Header = new(Run, new ViewGeneration(1, 1), Step, FrameKind.State, 0, 0);

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

        Assert.Equal(
            Step,
            await StateTransfer.ReceiveAsync(stream, Run, [.. received.Select(vector => vector.AsMemory())], CancellationToken.None)
        );
        Assert.Equal(sent, received);
    }

    internal static class Examples
    {
        public static TheoryData<string, FrameHeader[]> Broken =>
            new()
            {
                { "nothing at all", [] },
                { "an end after the first vector", [Piece(0, 0), Piece(0, 4)] },
                { "an end in the middle of a vector", [Piece(0, 0), Piece(0, 4), Piece(1, 0)] },
                { "a gap", [Piece(0, 4)] },
                { "a repetition", [Piece(0, 0), Piece(0, 0)] },
                { "a vector too early", [Piece(1, 0)] },
                { "a vector too many", [Piece(0, 0), Piece(0, 4), Piece(1, 0), Piece(1, 4), Piece(2, 0)] },
                { "another step", [Piece(0, 0), Piece(0, 4) with { Step = Step + 1 }] },
                { "another run", [Piece(0, 0) with { Run = 7 }] },
                { "something else", [Piece(0, 0) with { Kind = FrameKind.Slice }] },
            };
    }

    // Two vectors of eight elements are expected, in frames of four.
    [Theory]
    [MemberData(nameof(Examples.Broken), MemberType = typeof(Examples))]
    internal async Task What_is_not_one_whole_state_is_refused(string what, FrameHeader[] frames)
    {
        var stream = new FrameStream();
        foreach (var frame in frames)
            await stream.WriteAsync(new Frame(frame, new float[4]));
        await stream.EndAsync();

        var received = Vectors(2, 8, _ => 0).Select(vector => vector.AsMemory()).ToList();
        Assert.NotNull(what);
        await Assert.ThrowsAsync<InvalidDataException>(() => StateTransfer.ReceiveAsync(stream, Run, received, CancellationToken.None));
    }

    [Fact]
    public async Task A_frame_longer_than_what_is_left_of_its_vector_is_refused()
    {
        var stream = new FrameStream();
        await stream.WriteAsync(new Frame(Piece(0, 0), new float[9]));
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            StateTransfer.ReceiveAsync(stream, Run, [new float[8], new float[8]], CancellationToken.None)
        );
    }

    private static FrameHeader Piece(int part, long offset) => Header with { Part = part, Offset = offset };

    private static float[][] Vectors(int count, int length, Func<int, float> value) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(vector => Enumerable.Range(0, length).Select(element => value((vector * length) + element)).ToArray()),
        ];
}
