using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Distributed.Checkpoints;

/// <summary>fp32 values as little-endian bytes, the form of every tensor on disk, on machines of either byte order.</summary>
internal static class FloatBytes
{
    /// <summary>Values per piece: a span of bytes holds at most 2 GiB, a flat vector may be longer.</summary>
    private const int PieceLength = 1 << 16;

    /// <summary>Takes the next bytes of a sequence.</summary>
    internal delegate void Sink(ReadOnlySpan<byte> bytes);

    /// <summary>Gives the little-endian bytes of <paramref name="values"/> to <paramref name="sink"/>, in order, in pieces.</summary>
    internal static void CopyTo(ReadOnlySpan<float> values, Sink sink)
    {
        for (var start = 0; start < values.Length; start += PieceLength)
        {
            var piece = values.Slice(start, Math.Min(PieceLength, values.Length - start));
            sink(BitConverter.IsLittleEndian ? MemoryMarshal.AsBytes(piece) : Reversed(piece));
        }
    }

    /// <summary>Fills <paramref name="destination"/> from the stream; an early end is an <see cref="EndOfStreamException"/>.</summary>
    internal static void ReadFrom(Stream stream, Span<float> destination)
    {
        for (var start = 0; start < destination.Length; start += PieceLength)
        {
            var piece = destination.Slice(start, Math.Min(PieceLength, destination.Length - start));
            stream.ReadExactly(MemoryMarshal.AsBytes(piece));
            if (!BitConverter.IsLittleEndian)
                ReverseInPlace(piece);
        }
    }

    private static byte[] Reversed(ReadOnlySpan<float> values)
    {
        var copy = values.ToArray();
        ReverseInPlace(copy);
        return MemoryMarshal.AsBytes<float>(copy).ToArray();
    }

    private static void ReverseInPlace(Span<float> values)
    {
        var words = MemoryMarshal.Cast<float, uint>(values);
        BinaryPrimitives.ReverseEndianness(words, words);
    }
}
