using Distributed.Data;
using Xunit;

namespace Distributed.Shared.Tests.Data;

public sealed class ConsecutiveStreamsTests
{
    [Theory]
    [InlineData(0, 3)]
    [InlineData(3, 0)]
    [InlineData(4, 4)]
    [InlineData(5, 2)]
    public void Where_one_ends_cannot_be_told_from_the_pieces(int first, int second)
    {
        byte[] content = [.. Enumerable.Range(1, first + second).Select(value => (byte)value)];
        using var streams = new ConsecutiveStreams(new Halting(content[..first]), new Halting(content[first..]));
        var piece = new byte[4];
        var read = new List<byte>();
        while (read.Count < content.Length)
        {
            var length = streams.Read(piece, 0, piece.Length);
            Assert.Equal(Math.Min(piece.Length, content.Length - read.Count), length);
            read.AddRange(piece[..length]);
        }

        Assert.Equal(content, read);
        Assert.Equal(0, streams.Read(piece));
    }

    /// <summary>Gives one byte at a time, as a stream may.</summary>
    private sealed class Halting(byte[] content) : MemoryStream(content)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(1, buffer.Length)]);

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(1, count));
    }
}
