using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Grpc.Core;

namespace Distributed.Protocol;

/// <summary>
/// Writes frames straight from the sender's vectors and reads them into pooled memory. The bytes are a valid
/// <see cref="TensorFrame"/>; the generated class would copy every payload through an array of its own.
/// </summary>
internal static class FrameMarshaller
{
    private const int Fixed32 = 5;
    private const int Fixed64 = 1;
    private const int Varint = 0;
    private const int Delimited = 2;

    // Every field at its full width: 9 + 5 + 5 + 9 + 2 + 5 + 9, then the tag and the length of the values.
    private const int MaximumHeaderBytes = 44 + 1 + 5;

    /// <summary>The marshaller of gRPC methods.</summary>
    public static readonly Marshaller<Frame> Instance = Marshallers.Create<Frame>(Serialize, context =>
        Read(context.PayloadAsReadOnlySequence())
    );

    /// <summary>Writes a frame.</summary>
    /// <param name="frame">The frame; read before this returns.</param>
    /// <param name="output">Receives the bytes.</param>
    public static void Write(Frame frame, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ArgumentNullException.ThrowIfNull(output);
        RequireLittleEndian();
        Span<byte> header = stackalloc byte[MaximumHeaderBytes];
        var values = MemoryMarshal.AsBytes(frame.Values);
        output.Write(header[..WriteHeader(frame.Header, values.Length, header)]);
        output.Write(values);
    }

    /// <summary>Reads a frame.</summary>
    /// <param name="input">The bytes of one message.</param>
    /// <returns>A frame that the caller disposes.</returns>
    /// <exception cref="InvalidDataException">The bytes are not a tensor frame.</exception>
    public static Frame Read(in ReadOnlySequence<byte> input)
    {
        RequireLittleEndian();
        var reader = new SequenceReader<byte>(input);
        var fields = new Fields();
        while (!reader.End)
            fields.Read(ref reader);
        return Frame.Receive(fields.Header(), fields.Values);
    }

    private static void Serialize(Frame frame, SerializationContext context)
    {
        Span<byte> header = stackalloc byte[MaximumHeaderBytes];
        var bytes = frame.Values.Length * sizeof(float);
        context.SetPayloadLength(WriteHeader(frame.Header, bytes, header) + bytes);
        Write(frame, context.GetBufferWriter());
        context.Complete();
    }

    private static int WriteHeader(in FrameHeader header, int valueBytes, Span<byte> output)
    {
        var position = 0;
        position += Write64(1, header.Run, output[position..]);
        position += Write32(2, header.Generation.Epoch, output[position..]);
        position += Write32(3, header.Generation.Number, output[position..]);
        position += Write64(4, (ulong)header.Step, output[position..]);
        output[position++] = (5 << 3) | Varint;
        output[position++] = (byte)header.Kind;
        position += Write32(6, (uint)header.Part, output[position..]);
        position += Write64(7, (ulong)header.Offset, output[position..]);
        output[position++] = (8 << 3) | Delimited;
        for (var rest = (uint)valueBytes; ; rest >>= 7)
        {
            output[position++] = (byte)(rest > 0x7F ? rest | 0x80 : rest);
            if (rest <= 0x7F)
                return position;
        }
    }

    private static int Write32(int field, uint value, Span<byte> output)
    {
        output[0] = (byte)((field << 3) | Fixed32);
        BinaryPrimitives.WriteUInt32LittleEndian(output[1..], value);
        return 1 + sizeof(uint);
    }

    private static int Write64(int field, ulong value, Span<byte> output)
    {
        output[0] = (byte)((field << 3) | Fixed64);
        BinaryPrimitives.WriteUInt64LittleEndian(output[1..], value);
        return 1 + sizeof(ulong);
    }

    private static void RequireLittleEndian()
    {
        if (!BitConverter.IsLittleEndian)
            throw new PlatformNotSupportedException("Tensor frames are little-endian, and so must the processor be.");
    }

    // The fields in any order, as protobuf allows; unknown ones are skipped, a repeated one counts the last time.
    private ref struct Fields
    {
        private ulong _run;
        private uint _epoch;
        private uint _number;
        private ulong _step;
        private ulong _kind;
        private uint _part;
        private ulong _offset;

        public ReadOnlySequence<byte> Values { get; private set; }

        public readonly FrameHeader Header() =>
            _step <= long.MaxValue && _offset <= long.MaxValue && _part <= int.MaxValue && _kind <= (ulong)FrameKind.State
                ? new(_run, new ViewGeneration(_epoch, _number), (long)_step, (FrameKind)_kind, (int)_part, (long)_offset)
                : throw new InvalidDataException("A tensor frame's step, kind, part or offset is out of range.");

        public void Read(ref SequenceReader<byte> reader)
        {
            var tag = ReadVarint(ref reader);
            switch (tag)
            {
                case (1 << 3) | Fixed64:
                    _run = Read64(ref reader);
                    break;
                case (2 << 3) | Fixed32:
                    _epoch = Read32(ref reader);
                    break;
                case (3 << 3) | Fixed32:
                    _number = Read32(ref reader);
                    break;
                case (4 << 3) | Fixed64:
                    _step = Read64(ref reader);
                    break;
                case (5 << 3) | Varint:
                    _kind = ReadVarint(ref reader);
                    break;
                case (6 << 3) | Fixed32:
                    _part = Read32(ref reader);
                    break;
                case (7 << 3) | Fixed64:
                    _offset = Read64(ref reader);
                    break;
                case (8 << 3) | Delimited:
                    Values = ReadValues(ref reader);
                    break;
                default:
                    Skip((int)(tag & 7), ref reader);
                    break;
            }
        }

        private static ReadOnlySequence<byte> ReadValues(ref SequenceReader<byte> reader)
        {
            var bytes = ReadDelimited(ref reader);
            return bytes.Length % sizeof(float) == 0
                ? bytes
                : throw new InvalidDataException("A tensor frame's values are not whole numbers of four bytes.");
        }

        private static void Skip(int wireType, ref SequenceReader<byte> reader)
        {
            _ = wireType switch
            {
                Varint => (long)ReadVarint(ref reader),
                Fixed64 => (long)Read64(ref reader),
                Fixed32 => Read32(ref reader),
                Delimited => ReadDelimited(ref reader).Length,
                _ => throw new InvalidDataException($"A tensor frame has a field of wire type {wireType}."),
            };
        }

        private static ReadOnlySequence<byte> ReadDelimited(ref SequenceReader<byte> reader)
        {
            var length = ReadVarint(ref reader);
            if (length > (ulong)reader.Remaining)
                throw Truncated();
            var bytes = reader.UnreadSequence.Slice(0, (long)length);
            reader.Advance((long)length);
            return bytes;
        }

        private static ulong ReadVarint(ref SequenceReader<byte> reader)
        {
            var value = 0UL;
            for (var shift = 0; shift < 64; shift += 7)
            {
                if (!reader.TryRead(out var next))
                    throw Truncated();
                value |= (ulong)(next & 0x7F) << shift;
                if (next <= 0x7F)
                    return value;
            }

            throw new InvalidDataException("A tensor frame has a number of more than ten bytes.");
        }

        private static uint Read32(ref SequenceReader<byte> reader) =>
            reader.TryReadLittleEndian(out int value) ? (uint)value : throw Truncated();

        private static ulong Read64(ref SequenceReader<byte> reader) =>
            reader.TryReadLittleEndian(out long value) ? (ulong)value : throw Truncated();

        private static InvalidDataException Truncated() => new("A tensor frame ends in the middle of a field.");
    }
}
