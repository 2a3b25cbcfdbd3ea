using System.Buffers.Binary;
using Distributed.Protocol;

namespace Distributed.Collectives.Transports.Streams;

/// <summary>
/// The 16 bytes before the values of a frame on a raw stream, all little-endian: kind (8 bits) and part (24 bits), position, offset,
/// count. The values follow as they lie in memory.
/// </summary>
internal static class StreamFrame
{
    /// <summary>Length of the header in bytes.</summary>
    public const int HeaderBytes = 16;

    private const int MaximumPart = (1 << 24) - 1;

    /// <summary>Writes a header.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="output">[<see cref="HeaderBytes"/> or more].</param>
    /// <exception cref="OverflowException">The position is beyond 10^9 steps.</exception>
    public static void Write(in LinkFrame frame, Span<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)frame.Part, (uint)MaximumPart, nameof(frame));
        BinaryPrimitives.WriteUInt32LittleEndian(output, (uint)frame.Kind | ((uint)frame.Part << 8));
        BinaryPrimitives.WriteUInt32LittleEndian(output[4..], checked((uint)frame.Position));
        BinaryPrimitives.WriteInt32LittleEndian(output[8..], frame.Offset);
        BinaryPrimitives.WriteInt32LittleEndian(output[12..], frame.Count);
    }

    /// <summary>Reads a header.</summary>
    /// <param name="input">[<see cref="HeaderBytes"/>].</param>
    /// <exception cref="InvalidDataException">It is not one.</exception>
    public static LinkFrame Read(ReadOnlySpan<byte> input)
    {
        var first = BinaryPrimitives.ReadUInt32LittleEndian(input);
        var frame = new LinkFrame(
            (FrameKind)(first & 0xFF),
            (int)(first >> 8),
            BinaryPrimitives.ReadUInt32LittleEndian(input[4..]),
            BinaryPrimitives.ReadInt32LittleEndian(input[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(input[12..])
        );
        return frame is { Kind: <= FrameKind.Record, Offset: >= 0, Count: >= 0 }
            ? frame
            : throw new InvalidDataException($"what arrived is no frame header: {frame}");
    }
}
