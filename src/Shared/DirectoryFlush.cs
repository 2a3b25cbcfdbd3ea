using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Distributed;

/// <summary>
/// Flushes a folder's own entries to disk: without it a rename may be undone by a power cut on Linux and macOS.
/// .NET opens no folder as a file, so <c>open</c> is called directly; Windows neither needs nor offers this.
/// </summary>
internal static partial class DirectoryFlush
{
    private const int ReadOnly = 0;

    /// <summary>Creates a folder with those above it that are missing, and flushes the entry of each to disk.</summary>
    /// <param name="directory">The folder.</param>
    internal static void Create(string directory)
    {
        var path = Path.GetFullPath(directory);
        if (Directory.Exists(path))
            return;
        var parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(path))!;
        Create(parent);
        Directory.CreateDirectory(path);
        Flush(parent);
    }

    /// <summary>Flushes the folder where the system can; a file system that refuses is left alone.</summary>
    internal static void Flush(string directory)
    {
        if (OperatingSystem.IsWindows())
            return;
        using var handle = new SafeFileHandle(Open(directory, ReadOnly), ownsHandle: true);
        if (!handle.IsInvalid)
            RandomAccess.FlushToDisk(handle);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string path, int flags);
}
