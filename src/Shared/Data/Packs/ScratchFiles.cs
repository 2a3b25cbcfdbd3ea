using System.Buffers;
using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Distributed.Data.Packs;

/// <summary>
/// Room on a disk for what does not fit in memory, in files that are mapped: the system writes their pages back and drops them where memory is
/// short. They have no name once they are mapped, so that whatever ends the process frees the disk as well; where a system needs the name, it
/// is deleted in the end.
/// </summary>
/// <param name="folder">The folder, on the disk whose room is used.</param>
internal sealed class ScratchFiles(string folder) : IDisposable
{
    private readonly List<MappedFile> _mapped = [];
    private readonly List<string> _names = [];
    private int _created;

    /// <summary>Room for numbers, whose content is undefined. The disk has all of it from now on: one that is full is told here.</summary>
    /// <exception cref="InputException">The disk is full.</exception>
    public Memory<T> Allocate<T>(int length)
        where T : unmanaged
    {
        if (length == 0)
            return Memory<T>.Empty;
        var bytes = (long)length * Unsafe.SizeOf<T>();
        return Writing(() =>
        {
            using var file = Create(bytes);
            file.SetLength(bytes);
            var mapped = Map(file, MemoryMappedFileAccess.ReadWrite);
            // Rooms are filled side by side. Some systems read 8 MB around each page that is not there, and so push out those of the others.
            mapped.ExpectRandomReads();
            return new Room<T>(mapped, length).Memory;
        });
    }

    /// <summary>The file of a room; null if there is none.</summary>
    public static MappedFile? FileOf<T>(ReadOnlyMemory<T> room)
        where T : unmanaged => MemoryMarshal.TryGetMemoryManager(room, out Room<T>? manager) ? manager.File : null;

    /// <summary>Says that part of a room will be read soon.</summary>
    public static void ReadSoon<T>(ReadOnlyMemory<T> room)
        where T : unmanaged
    {
        if (MemoryMarshal.TryGetMemoryManager(room, out Room<T>? manager, out var start, out var length))
            manager.File.ReadSoon((long)start * Unsafe.SizeOf<T>(), (long)length * Unsafe.SizeOf<T>());
    }

    /// <summary>Frees room that nobody uses any more.</summary>
    public void Free<T>(ReadOnlyMemory<T> room)
        where T : unmanaged
    {
        if (FileOf(room) is not { } file)
            return;
        file.Unmap();
        _mapped.Remove(file);
    }

    /// <summary>Keeps content that is handed over piece by piece.</summary>
    /// <param name="write">Hands it over to what it is given.</param>
    /// <exception cref="InputException">The disk is full.</exception>
    public ByteContent Keep(Action<Action<ReadOnlySpan<byte>>> write)
    {
        using var file = Writing(() => Create(bytes: 0));
        write(piece => Append(file, piece));
        return Writing(() => Map(file, MemoryMappedFileAccess.Read));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var file in _mapped)
            file.Unmap();
        foreach (var name in _names)
            File.Delete(name);
    }

    private FileStream Create(long bytes)
    {
        var path = Path.Combine(folder, PackFiles.ScratchName(_created++));
        var file = new FileStream(
            path,
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.Delete,
                PreallocationSize = bytes,
                BufferSize = 0,
            }
        );
        if (OperatingSystem.IsWindows())
            _names.Add(path);
        else
            File.Delete(path);
        return file;
    }

    private MappedFile Map(FileStream file, MemoryMappedFileAccess access)
    {
        var mapped = MappedFile.Of(file, access);
        _mapped.Add(mapped);
        return mapped;
    }

    private void Append(FileStream file, ReadOnlySpan<byte> piece)
    {
        try
        {
            file.Write(piece);
        }
        catch (IOException e)
        {
            throw Refusal(e);
        }
    }

    private T Writing<T>(Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refusal(e);
        }
    }

    private InputException Refusal(Exception e) => FileErrors.In(folder, $"cannot be written ({e.Message.TrimEnd('.')})", e);

    /// <summary>A mapped file as numbers.</summary>
    private sealed unsafe class Room<T>(MappedFile file, int length) : MemoryManager<T>
        where T : unmanaged
    {
        public MappedFile File => file;

        public override Span<T> GetSpan() => new(file.First, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new((T*)file.First + elementIndex, pinnable: this);

        public override void Unpin() { }

        protected override void Dispose(bool disposing) { }
    }
}
