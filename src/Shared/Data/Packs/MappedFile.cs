using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Distributed.Data.Packs;

/// <summary>A whole file, read where it lies: the system keeps in memory what is used, and as much as there is room for.</summary>
internal sealed unsafe class MappedFile : ByteContent
{
    /// <summary>As much as the system reads at one request.</summary>
    private const int PieceBytes = 2 << 20;

    private readonly byte* _first;
    private SafeMemoryMappedViewHandle? _view; // null of an empty file, which cannot be mapped, and of one that is unmapped

    private MappedFile(SafeMemoryMappedViewHandle? view, byte* first, long length)
    {
        _view = view;
        _first = first;
        Length = length;
    }

    /// <inheritdoc />
    public override long Length { get; }

    /// <summary>Where it lies, as long as this lives.</summary>
    public byte* First => _first;

    /// <summary>Maps a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="length">The length that it must have.</param>
    /// <exception cref="InputException">It cannot be read, or has another length.</exception>
    public static MappedFile Open(string path, long length)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (file.Length != length)
                throw FileErrors.In(path, $"has {file.Length} bytes instead of {length}; pack the data again");
            return Of(file, MemoryMappedFileAccess.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.In(path, $"cannot be read ({e.Message})", e);
        }
    }

    /// <summary>Maps an open file, which may then be closed.</summary>
    /// <param name="file">The file.</param>
    /// <param name="access">Whether it is written to as well.</param>
    /// <exception cref="IOException">It cannot be mapped.</exception>
    public static MappedFile Of(FileStream file, MemoryMappedFileAccess access)
    {
        var length = file.Length;
        if (length == 0)
            return new MappedFile(view: null, first: null, length);
        using var map = MemoryMappedFile.CreateFromFile(
            file,
            mapName: null,
            capacity: 0,
            access,
            HandleInheritability.None,
            leaveOpen: true
        );
        using var accessor = map.CreateViewAccessor(0, length, access);
        // The pointer is the view's own: it is unmapped with the handle, which lives as long as this.
        byte* first = null;
        accessor.SafeMemoryMappedViewHandle.AcquirePointer(ref first);
        return new MappedFile(accessor.SafeMemoryMappedViewHandle, first + accessor.PointerOffset, length);
    }

    /// <summary>Unmaps the file once nobody uses it any more.</summary>
    ~MappedFile()
    {
        Unmap();
    }

    /// <summary>Unmaps the file, whose bytes nobody may use any more.</summary>
    public void Unmap() => Interlocked.Exchange(ref _view, null)?.ReleasePointer();

    /// <summary>Says that small pieces will be asked for in any order: the system then reads no more than what is.</summary>
    public void ExpectRandomReads() => MemoryAdvice.ExpectRandomReads(_first, (nuint)Length);

    /// <summary>Says that all of it will be asked for in order: the system then reads ahead.</summary>
    public void ExpectReadsInOrder() => MemoryAdvice.ExpectReadsInOrder(_first, (nuint)Length);

    /// <inheritdoc />
    public override void ReadSoon(long offset, long length)
    {
        const int page = PageHashes.PageBytes;
        var end = (Math.Min(offset + length, Length) + page - 1) / page * page; // a file is mapped to the end of its last page
        for (var piece = offset / page * page; piece < end; piece += PieceBytes)
            MemoryAdvice.ReadSoon(_first + piece, (nuint)Math.Min(PieceBytes, end - piece));
    }

    /// <inheritdoc />
    public override ReadOnlySpan<byte> Span(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return new ReadOnlySpan<byte>(_first + offset, length);
    }

    /// <summary>All bytes as integers, valid as long as this lives.</summary>
    public ReadOnlySpan<int> Integers => new(_first, checked((int)(Length / sizeof(int))));
}
