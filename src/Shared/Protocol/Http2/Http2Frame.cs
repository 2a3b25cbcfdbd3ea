using System.Buffers.Binary;

namespace Distributed.Protocol.Http2;

/// <summary>The types of HTTP/2 frames that matter here (RFC 9113, section 6).</summary>
internal enum Http2FrameType : byte
{
    Data = 0x0,
    Headers = 0x1,
    Settings = 0x4,
    WindowUpdate = 0x8,
}

/// <summary>The nine bytes that begin an HTTP/2 frame (RFC 9113, section 4.1).</summary>
/// <param name="Length">The bytes that follow.</param>
/// <param name="Type">The frame's type.</param>
/// <param name="Flags">What they mean depends on the type.</param>
/// <param name="Stream">The stream; 0 for the connection.</param>
internal readonly record struct Http2Frame(int Length, Http2FrameType Type, byte Flags, int Stream)
{
    /// <summary>The bytes of a header.</summary>
    public const int HeaderBytes = 9;

    /// <summary>The flag of a <see cref="Http2FrameType.Settings"/> frame that only confirms the other side's.</summary>
    public const byte Acknowledgement = 0x1;

    /// <summary>The bytes of a header and what follows it.</summary>
    public int TotalBytes => HeaderBytes + Length;

    /// <summary>Reads a header.</summary>
    /// <param name="bytes">[9 or more].</param>
    public static Http2Frame Read(ReadOnlySpan<byte> bytes) =>
        new(
            (bytes[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]),
            (Http2FrameType)bytes[3],
            bytes[4],
            BinaryPrimitives.ReadInt32BigEndian(bytes[5..]) & int.MaxValue
        );

    /// <summary>Writes a header.</summary>
    /// <param name="bytes">[9 or more].</param>
    public void Write(Span<byte> bytes)
    {
        bytes[0] = (byte)(Length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[1..], (ushort)Length);
        bytes[3] = (byte)Type;
        bytes[4] = Flags;
        BinaryPrimitives.WriteInt32BigEndian(bytes[5..], Stream);
    }
}
