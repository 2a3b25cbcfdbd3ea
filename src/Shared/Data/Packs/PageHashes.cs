using System.Buffers.Binary;
using System.IO.Hashing;

namespace Distributed.Data.Packs;

/// <summary>
/// The hashes by which pages of a file are known: XXH3 with 64 bits of every <see cref="PageBytes"/> bytes, little-endian, one after the
/// other. A page is as much as a disk is asked for at once, so that checking one sample reads no more than the sample does.
/// </summary>
internal static class PageHashes
{
    /// <summary>Bytes of a page; the last one of a file may have fewer.</summary>
    public const int PageBytes = 4096;

    /// <summary>Bytes of a hash.</summary>
    public const int HashBytes = sizeof(ulong);

    /// <summary>How many pages a file has.</summary>
    /// <param name="length">Its length in bytes.</param>
    public static long Count(long length) => (length + PageBytes - 1) / PageBytes;

    /// <summary>The hash of a page.</summary>
    public static ulong Of(ReadOnlySpan<byte> page) => XxHash3.HashToUInt64(page);

    /// <summary>Writes the hash of a page.</summary>
    public static void Write(ReadOnlySpan<byte> page, Span<byte> destination) =>
        BinaryPrimitives.WriteUInt64LittleEndian(destination, Of(page));
}
