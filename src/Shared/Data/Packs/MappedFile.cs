using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Distributed.Data.Packs;

/// <summary>A whole file, read where it lies: the system keeps in memory what is used, and as much as there is room for.</summary>
internal sealed unsafe class MappedFile
{
    private readonly SafeMemoryMappedViewHandle? _view; // null of an empty file, which cannot be mapped
    private readonly byte* _first;

    private MappedFile(SafeMemoryMappedViewHandle? view, byte* first, long length)
    {
        _view = view;
        _first = first;
        Length = length;
    }

    /// <summary>Bytes of the file.</summary>
    public long Length { get; }

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
            if (length == 0)
                return new MappedFile(view: null, first: null, length);
            using var map = MemoryMappedFile.CreateFromFile(
                file,
                mapName: null,
                capacity: 0,
                MemoryMappedFileAccess.Read,
                HandleInheritability.None,
                leaveOpen: true
            );
            using var accessor = map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
            // The pointer is the view's own: it is unmapped with the handle, which lives as long as this.
            byte* first = null;
            accessor.SafeMemoryMappedViewHandle.AcquirePointer(ref first);
            return new MappedFile(accessor.SafeMemoryMappedViewHandle, first + accessor.PointerOffset, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileErrors.In(path, $"cannot be read ({e.Message})", e);
        }
    }

    /// <summary>Unmaps the file once nobody uses it any more.</summary>
    ~MappedFile()
    {
        _view?.ReleasePointer();
    }

    /// <summary>Says that small pieces will be asked for in any order: the system then reads no more than what is.</summary>
    public void ExpectRandomReads() => MemoryAdvice.ExpectRandomReads(_first, (nuint)Length);

    /// <summary>Says that a piece of at most some megabytes will be asked for soon: the system begins to read it.</summary>
    public void ReadSoon(long offset, int length) => MemoryAdvice.ReadSoon(_first + offset, (nuint)Math.Min(length, Length - offset));

    /// <summary>Some bytes, valid as long as this lives.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not in the file.</exception>
    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return new ReadOnlySpan<byte>(_first + offset, length);
    }

    /// <summary>All bytes as integers, valid as long as this lives.</summary>
    public ReadOnlySpan<int> Integers => new(_first, checked((int)(Length / sizeof(int))));
}
