using System.Runtime.InteropServices;

namespace Distributed;

/// <summary>
/// Opens files that people name. What cannot seek, such as a fifo, <c>/dev/stdin</c> or <c>&lt;(zcat t.csv.gz)</c>, gives its content once:
/// the first to open it reads all of it, and this process keeps it for everybody who opens the path again.
/// </summary>
internal static partial class InputFile
{
    private const int PieceLength = 1 << 20;

    // statx of Linux, whose layout is the same on all processors: 256 bytes, of which two at 28 are the kind and the permissions.
    private const int StatusBytes = 256;
    private const int ModeOffset = 28;
    private const int CurrentFolder = -100;
    private const uint KindOnly = 1;

    // The kinds of <sys/stat.h>, in the upper bits of a mode.
    private const int KindMask = 0xf000;
    private const int Fifo = 0x1000;
    private const int CharacterDevice = 0x2000;
    private const int Socket = 0xc000;

    private static readonly Dictionary<string, byte[]> Kept = [];

    private static volatile bool _refusesPipes;

    /// <summary>
    /// From here on this process opens nothing that may make it wait. For workers: whether their own <c>/dev/stdin</c> or a fifo holds
    /// anything depends on who else reads it, and samples that they do not hold are sent to them.
    /// </summary>
    public static void RefusePipes() => _refusesPipes = true;

    /// <summary>Opens a file for reading, at its start. The stream can seek.</summary>
    /// <exception cref="InputException">It cannot seek, and is longer than one array or refused by this process.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a folder.</exception>
    public static Stream OpenRead(string path)
    {
        if (_refusesPipes && IsPipe(path))
            throw new InputException($"{path}: is a pipe, which this process does not read");
        lock (Kept)
        {
            var key = Path.GetFullPath(path);
            if (Kept.TryGetValue(key, out var kept))
                return new MemoryStream(kept, writable: false);
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            if (file.CanSeek)
                return file;
            using (file)
                Kept[key] = kept = ReadAll(path, file);
            return new MemoryStream(kept, writable: false);
        }
    }

    /// <summary>Reads a stream of unknown length to its end.</summary>
    /// <param name="path">Where it comes from.</param>
    /// <param name="stream">The stream.</param>
    /// <exception cref="InputException">It is longer than one array.</exception>
    public static byte[] ReadAll(string path, Stream stream)
    {
        var pieces = new List<byte[]>();
        var length = 0L;
        for (var isEnd = false; !isEnd; )
        {
            var piece = new byte[PieceLength];
            var read = stream.ReadAtLeast(piece, piece.Length, throwOnEndOfStream: false);
            isEnd = read < piece.Length;
            pieces.Add(isEnd ? piece[..read] : piece);
            length += read;
            if (length > Array.MaxLength)
                throw new InputException($"{path}: holds more than {Array.MaxLength} bytes, the most that is read from a pipe; use a file");
        }

        var content = new byte[length];
        for (var (index, start) = (0, 0); index < pieces.Count; start += pieces[index++].Length)
            pieces[index].CopyTo(content, start);
        return content;
    }

    /// <summary>Whether opening a path may wait for somebody who writes.</summary>
    private static bool IsPipe(string path)
    {
        if (!OperatingSystem.IsLinux())
            return path.StartsWith("/dev/", StringComparison.Ordinal);
        Span<byte> status = stackalloc byte[StatusBytes];
        return GetStatus(CurrentFolder, path, 0, KindOnly, ref MemoryMarshal.GetReference(status)) == 0
            && (MemoryMarshal.Read<ushort>(status[ModeOffset..]) & KindMask) is Fifo or CharacterDevice or Socket;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetStatus(int folder, string path, int flags, uint wanted, ref byte status);
}
