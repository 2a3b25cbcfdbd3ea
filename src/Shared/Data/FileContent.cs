using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Distributed.Data;

/// <summary>Reads data files, decompressing gzip wherever it is found, whatever the file's name.</summary>
internal static class FileContent
{
    // Deflate cannot do better than this, so that a lying length in a trailer costs no more memory than the file could hold.
    private const long LargestDeflateRatio = 1032;

    private const int PieceBytes = 16 << 20;
    private const int BufferBytes = 1 << 20;

    // The magic number, the smallest header and the trailer of a gzip member (RFC 1952).
    private const int SmallestGzip = 18;

    // GZipStream ends quietly where its input does, and gzip files may be concatenated. So a member of our own is put behind the
    // file's: its content comes out at the end only if every member before it is complete.
    private static readonly byte[] EndMark = "end of the file"u8.ToArray();
    private static readonly byte[] CompressedEndMark = Gzip(EndMark);

    /// <summary>
    /// Reads and decompresses a file; a compressed one is decompressed as it is read, so that memory holds its content alone.
    /// </summary>
    /// <exception cref="InputException">It cannot be read, is empty, damaged, or larger than one array can be.</exception>
    public static ReadOnlyMemory<byte> Read(string path) => Refusing(path, () =>
        {
            using var file = InputFile.OpenRead(path);
            return Decompress(path, file);
        });

    /// <summary>Reads and decompresses a stream that cannot seek.</summary>
    /// <exception cref="InputException">It cannot be read, is empty, damaged, or larger than one array can be.</exception>
    public static ReadOnlyMemory<byte> Read(string name, Stream stream) =>
        Refusing(name, () => Decompress(name, InputFile.ReadAll(name, stream)));

    /// <summary>Decompresses what was read from a file, or returns it as it is.</summary>
    /// <exception cref="InputException">It is empty, damaged, or larger than one array can be.</exception>
    public static ReadOnlyMemory<byte> Decompress(string path, byte[] stored) => Decompress(path, new MemoryStream(stored));

    /// <summary>Reads no more than the start of a file, decompressed, to tell its format.</summary>
    /// <exception cref="InputException">It cannot be read, or is damaged.</exception>
    public static byte[] ReadStart(string path, int length) => Refusing(path, () =>
        {
            using var file = Open(path, out var isCompressed);
            using var content = isCompressed ? new GZipStream(file, CompressionMode.Decompress) : file;
            var start = new byte[length];
            return start[..content.ReadAtLeast(start, length, throwOnEndOfStream: false)];
        });

    /// <summary>Reads no more than the end of a file, decompressed, to tell its format.</summary>
    /// <exception cref="InputException">It cannot be read, or is damaged.</exception>
    public static byte[] ReadEnd(string path, int length) => Refusing(path, () =>
        {
            using var content = OpenSeekable(path);
            var end = new byte[Math.Min(length, content.Length)];
            content.Position = content.Length - end.Length;
            content.ReadExactly(end);
            return end;
        });

    /// <summary>Opens a file to read it here and there; one that is compressed as a whole is decompressed into memory.</summary>
    /// <exception cref="InputException">It cannot be read, or is damaged.</exception>
    public static Stream OpenSeekable(string path) => Refusing(path, () =>
        {
            var file = Open(path, out var isCompressed);
            if (!isCompressed)
                return file;
            using (file)
            {
                _ = MemoryMarshal.TryGetArray(Decompress(path, file), out var content);
                return new MemoryStream(content.Array!, content.Offset, content.Count, writable: false);
            }
        });

    /// <summary>The length of a file's decompressed content; only a compressed file has to be read for it.</summary>
    /// <exception cref="InputException">It cannot be read, or is damaged.</exception>
    public static long Length(string path) => Refusing(path, () =>
        {
            using var file = Open(path, out var isCompressed);
            if (!isCompressed)
                return file.Length;
            var length = 0L;
            Decompress(path, file, piece => length += piece.Length);
            return length;
        });

    /// <summary>Opens a file as it is stored. The stream can seek.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isCompressed">Whether it is compressed as a whole.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a folder.</exception>
    public static Stream Open(string path, out bool isCompressed)
    {
        var file = InputFile.OpenRead(path);
        isCompressed = IsCompressed(file);
        return file;
    }

    /// <summary>Decompresses a file piece by piece.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="stored">Its compressed content.</param>
    /// <param name="take">Takes the next bytes.</param>
    /// <exception cref="InputException">It is empty.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static void Decompress(string path, Stream stored, Action<ReadOnlySpan<byte>> take)
    {
        using var gzip = Gunzip(stored);
        var buffer = new byte[BufferBytes];
        var (kept, isEmpty) = (0, true);
        while (gzip.Read(buffer.AsSpan(kept)) is > 0 and int length)
        {
            // What may be the end mark waits for what follows it.
            var ready = Math.Max(0, kept + length - EndMark.Length);
            take(buffer.AsSpan(0, ready));
            buffer.AsSpan(ready, kept + length - ready).CopyTo(buffer);
            kept += length - ready;
            isEmpty &= ready == 0;
        }

        if (!buffer.AsSpan(0, kept).SequenceEqual(EndMark))
            throw new InvalidDataException();
        if (isEmpty)
            throw Empty(path);
    }

    /// <summary>Reads, and says of which file it is if that cannot be read.</summary>
    /// <exception cref="InputException">It cannot be read, or is damaged.</exception>
    public static T Refusing<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException e)
        {
            throw Damaged(path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.In(path, $"cannot be read ({e.Message})", e);
        }
    }

    private static ReadOnlyMemory<byte> Decompress(string path, Stream stored)
    {
        var content = IsCompressed(stored) ? Gunzip(path, stored) : ReadWhole(path, stored);
        return content.IsEmpty ? throw Empty(path) : content;
    }

    /// <summary>Refuses a file without content.</summary>
    public static InputException Empty(string path) => FileErrors.In(path, "the file is empty; a dataset needs samples");

    private static bool IsCompressed(Stream stored)
    {
        var isCompressed = stored.ReadByte() == 0x1f && stored.ReadByte() == 0x8b;
        stored.Position = 0;
        return isCompressed;
    }

    private static byte[] ReadWhole(string path, Stream stored)
    {
        if (stored.Length > Array.MaxLength)
            throw TooLarge(path);
        var content = GC.AllocateUninitializedArray<byte>((int)stored.Length);
        if (stored is FileStream file)
        {
            var pieces = (int)((stored.Length + PieceBytes - 1) / PieceBytes);
            var handle = file.SafeFileHandle; // to ask for it moves the stream, which no two threads may do
            ParallelPieces.Run(pieces, piece => ReadPiece(handle, content, piece * PieceBytes));
        }
        else
        {
            stored.ReadExactly(content);
        }

        return content;
    }

    // What is in the page cache is copied at the speed of memory, which one thread does not reach.
    private static void ReadPiece(SafeFileHandle file, byte[] content, int start)
    {
        var piece = content.AsSpan(start, Math.Min(PieceBytes, content.Length - start));
        for (var offset = (long)start; !piece.IsEmpty; )
        {
            var length = RandomAccess.Read(file, piece, offset);
            if (length == 0)
                throw new EndOfStreamException("the file became shorter while it was read");
            offset += length;
            piece = piece[length..];
        }
    }

    private static ReadOnlyMemory<byte> Gunzip(string path, Stream stored)
    {
        var content = new ArrayBufferWriter<byte>(ExpectedLength(path, stored) + EndMark.Length + 1);
        try
        {
            using var gzip = Gunzip(stored);
            while (gzip.Read(FreeSpace(path, content)) is > 0 and int length)
                content.Advance(length);
        }
        catch (InvalidDataException e)
        {
            throw Damaged(path, e);
        }

        return content.WrittenSpan.EndsWith(EndMark) ? content.WrittenMemory[..^EndMark.Length] : throw Damaged(path, null);
    }

    private static GZipStream Gunzip(Stream stored) =>
        new(new ConsecutiveStreams(stored, new MemoryStream(CompressedEndMark)), CompressionMode.Decompress);

    private static byte[] Gzip(ReadOnlySpan<byte> content)
    {
        using var stored = new MemoryStream();
        using (var gzip = new GZipStream(stored, CompressionLevel.NoCompression))
            gzip.Write(content);
        return stored.ToArray();
    }

    private static InputException Damaged(string path, Exception? inner) =>
        FileErrors.In(path, "the compressed data is damaged or truncated; get the file again", inner);

    private static Span<byte> FreeSpace(string path, ArrayBufferWriter<byte> content) =>
        content.WrittenCount < Array.MaxLength ? content.GetSpan() : throw TooLarge(path);

    private static InputException TooLarge(string path) =>
        FileErrors.In(path, $"holds more than {Array.MaxLength} bytes, the most that one file may; pack it with data pack, or split it");

    private static int ExpectedLength(string path, Stream stored)
    {
        if (stored.Length < SmallestGzip)
            throw Damaged(path, null);
        var trailer = new byte[sizeof(uint)];
        stored.Position = stored.Length - trailer.Length;
        stored.ReadExactly(trailer);
        stored.Position = 0;
        return (int)
            Math.Min(
                Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(trailer), stored.Length * LargestDeflateRatio),
                Array.MaxLength - EndMark.Length - 1
            );
    }
}
