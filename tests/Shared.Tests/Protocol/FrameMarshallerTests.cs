using System.Buffers;
using System.Runtime.InteropServices;
using CsCheck;
using Distributed.Protocol;
using Google.Protobuf;
using Xunit;
using WireKind = Distributed.Protocol.FrameKind;

namespace Distributed.Shared.Tests.Protocol;

/// <summary>The hand-written marshaller against the class that protoc generates from tensors.proto.</summary>
public sealed class FrameMarshallerTests
{
    private const int FieldCount = 8;
    private const byte ValuesTag = (8 << 3) | 2;

    private static readonly Gen<FrameHeader> Headers =
        from run in Gen.ULong
        from epoch in Gen.UInt
        from number in Gen.UInt
        from step in Gen.Long[0, long.MaxValue]
        from kind in Gen.Enum<WireKind>()
        from part in Gen.Int[0, int.MaxValue]
        from offset in Gen.Long[0, long.MaxValue]
        select new FrameHeader(run, new ViewGeneration(epoch, number), step, kind, part, offset);

    // Any bits: infinities and NaNs with payloads travel like other numbers.
    private static readonly Gen<float[]> Values = Gen.UInt.Select(BitConverter.UInt32BitsToSingle).Array[0, 300];

    [Fact]
    public void What_is_written_is_a_TensorFrame() =>
        Gen.Select(Headers, Values)
            .Sample(
                (header, values) =>
                {
                    var parsed = TensorFrame.Parser.ParseFrom(Bytes(new Frame(header, values)));
                    Assert.Equal(header, HeaderOf(parsed));
                    Assert.Equal(MemoryMarshal.AsBytes<float>(values), parsed.Values.Span);
                }
            );

    [Fact]
    public void A_TensorFrame_is_read() =>
        Gen.Select(Headers, Values)
            .Sample(
                (header, values) =>
                {
                    using var frame = Read(Message(header, values).ToByteArray());
                    AssertIs(header, values, frame);
                }
            );

    [Fact]
    public void Fields_may_come_in_any_order_among_unknown_ones() =>
        Gen.Select(Headers, Values, Gen.Shuffle(Enumerable.Range(0, FieldCount + 1).ToArray()))
            .Sample(
                (header, values, order) =>
                {
                    var fields = Fields(header, values).Append([(99 << 3) & 0x7F | 0x80 | 2, (99 << 3) >> 7, 3, 1, 2, 3]).ToArray();
                    using var frame = Read([.. order.SelectMany(index => fields[index])]);
                    AssertIs(header, values, frame);
                }
            );

    [Fact]
    public void The_bytes_may_lie_in_pieces() =>
        Gen.Select(Headers, Values, Gen.Int[1, 40])
            .Sample(
                (header, values, piece) =>
                {
                    using var frame = FrameMarshaller.Read(Pieces(Message(header, values).ToByteArray(), piece));
                    AssertIs(header, values, frame);
                }
            );

    [Fact]
    public void A_message_that_ends_early_is_refused_or_holds_only_whole_fields() =>
        Gen.Select(Headers, Values, Gen.Double[0, 1])
            .Sample(
                (header, values, part) =>
                {
                    var bytes = Bytes(new Frame(header, values));
                    var cut = bytes[..(int)(part * (bytes.Length - 1))];
                    var failure = Record.Exception(() => Read(cut).Dispose());
                    return failure is null
                        ? TensorFrame.Parser.ParseFrom(cut).CalculateSize() <= cut.Length
                        : failure is InvalidDataException;
                }
            );

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(uint.MaxValue)]
    [InlineData((ulong)int.MaxValue)]
    [InlineData(9UL)]
    public void A_length_beyond_the_message_is_refused_before_anything_is_reserved(ulong length)
    {
        var lie = new List<byte> { ValuesTag };
        for (; length > 0x7F; length >>= 7)
            lie.Add((byte)(length | 0x80));
        byte[] message = [.. lie, (byte)length, .. new byte[8]];
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => Read(message));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    public static TheoryData<string, byte[]> Refused =>
        new()
        {
            { "values that are not whole numbers", [ValuesTag, 3, 1, 2, 3] },
            { "a step beyond the signed range", [(4 << 3) | 1, 255, 255, 255, 255, 255, 255, 255, 255] },
            { "a part beyond the signed range", [(6 << 3) | 5, 255, 255, 255, 255] },
            { "an offset beyond the signed range", [(7 << 3) | 1, 255, 255, 255, 255, 255, 255, 255, 255] },
            { "a kind that nobody knows", [5 << 3, 100] },
            { "a group", [(1 << 3) | 3] },
            { "a number of eleven bytes", [5 << 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1] },
            { "a number that is cut off", [(2 << 3) | 5, 1, 2] },
        };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_no_sender_writes_is_refused(string what, byte[] message)
    {
        Assert.NotEmpty(what);
        Assert.Throws<InvalidDataException>(() => Read(message));
    }

    [Fact]
    public void A_frame_without_values_is_small_and_whole()
    {
        var header = new FrameHeader(7, new ViewGeneration(1, 2), 3, WireKind.Ping, 4, 5);
        using var frame = Read(Bytes(new Frame(header)));
        AssertIs(header, [], frame);
        using var nothing = Read([]);
        AssertIs(default, [], nothing);
    }

    [Fact]
    public void Values_cannot_be_read_after_the_frame_was_given_back()
    {
        var frame = Read(Bytes(new Frame(default, new float[3])));
        frame.Dispose();
        frame.Dispose();
        Assert.Throws<ObjectDisposedException>(() => frame.Values.Length);
    }

    private static void AssertIs(FrameHeader header, float[] values, Frame frame)
    {
        Assert.Equal(header, frame.Header);
        Assert.Equal(MemoryMarshal.AsBytes<float>(values), MemoryMarshal.AsBytes(frame.Values));
    }

    private static FrameHeader HeaderOf(TensorFrame frame) =>
        new(frame.Run, new ViewGeneration(frame.Epoch, frame.Number), (long)frame.Step, frame.Kind, (int)frame.Part, (long)frame.Offset);

    private static TensorFrame Message(FrameHeader header, float[] values) =>
        new()
        {
            Run = header.Run,
            Epoch = header.Generation.Epoch,
            Number = header.Generation.Number,
            Step = (ulong)header.Step,
            Kind = header.Kind,
            Part = (uint)header.Part,
            Offset = (ulong)header.Offset,
            Values = ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(values)),
        };

    // Each field of a message by itself.
    private static IEnumerable<byte[]> Fields(FrameHeader header, float[] values)
    {
        var whole = Message(header, values);
        yield return new TensorFrame { Run = whole.Run }.ToByteArray();
        yield return new TensorFrame { Epoch = whole.Epoch }.ToByteArray();
        yield return new TensorFrame { Number = whole.Number }.ToByteArray();
        yield return new TensorFrame { Step = whole.Step }.ToByteArray();
        yield return new TensorFrame { Kind = whole.Kind }.ToByteArray();
        yield return new TensorFrame { Part = whole.Part }.ToByteArray();
        yield return new TensorFrame { Offset = whole.Offset }.ToByteArray();
        yield return new TensorFrame { Values = whole.Values }.ToByteArray();
    }

    private static byte[] Bytes(Frame frame)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameMarshaller.Write(frame, output);
        return output.WrittenSpan.ToArray();
    }

    private static Frame Read(byte[] bytes) => FrameMarshaller.Read(new ReadOnlySequence<byte>(bytes));

    private static ReadOnlySequence<byte> Pieces(byte[] bytes, int size)
    {
        var first = new Piece(ReadOnlyMemory<byte>.Empty, 0);
        var last = first;
        for (var start = 0; start < bytes.Length; start += size)
            last = last.Append(bytes.AsMemory(start, Math.Min(size, bytes.Length - start)));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
