using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Distributed.Collectives.Transports.SharedMemory;

/// <summary>
/// The system calls of Linux behind shared memory that .NET does not offer: anonymous files, their seals, mappings, and futexes.
/// </summary>
internal static unsafe partial class LinuxCalls
{
    private const uint MemfdCloseOnExec = 1;
    private const uint MemfdAllowSealing = 2;
    private const int ReadWrite = 2;
    private const int OpenCloseOnExec = 0x80000;
    private const int AddSeals = 1033;
    private const int GetSeals = 1034;
    private const int SealSeal = 1;
    private const int SealShrink = 2;
    private const int SealGrow = 4;
    private const int ProtectRead = 1;
    private const int ProtectWrite = 2;
    private const int MapShared = 1;
    private const nint MapFailed = -1;
    private const int FutexWait = 0;
    private const int FutexWake = 1;

    // No more and no less may be there than what was mapped: a file that shrinks takes mapped pages away from its readers.
    private const int FixedLength = SealSeal | SealShrink | SealGrow;

    private static readonly long? FutexNumber = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 202,
        Architecture.Arm64 or Architecture.RiscV64 or Architecture.LoongArch64 => 98,
        _ => null,
    };

    /// <summary>Whether this is a system whose calls are known here.</summary>
    public static bool AreKnown => OperatingSystem.IsLinux() && FutexNumber is not null;

    /// <summary>The error of the last call that failed, in the system's words.</summary>
    public static string LastError => Marshal.GetLastPInvokeErrorMessage();

    /// <summary>An anonymous file, all zeros, sealed against changes of its length.</summary>
    /// <returns>An invalid handle if the system refuses.</returns>
    public static SafeFileHandle CreateAnonymousFile(string label, long bytes)
    {
        var handle = new SafeFileHandle(CreateMemoryFile(label, MemfdCloseOnExec | MemfdAllowSealing), ownsHandle: true);
        if (handle.IsInvalid || (Truncate(Descriptor(handle), bytes) == 0 && ControlFile(Descriptor(handle), AddSeals, FixedLength) == 0))
            return handle;
        handle.Dispose();
        return new SafeFileHandle();
    }

    /// <summary>Opens a file to read and write.</summary>
    /// <returns>An invalid handle if the system refuses.</returns>
    public static SafeFileHandle Open(string path) => new(OpenFile(path, ReadWrite | OpenCloseOnExec), ownsHandle: true);

    /// <summary>Whether a file is sealed against changes of its length.</summary>
    public static bool HasFixedLength(SafeFileHandle file) =>
        ControlFile(Descriptor(file), GetSeals, 0) is var seals and >= 0 && (seals & FixedLength) == FixedLength;

    /// <summary>Maps a part of a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="offset">A multiple of the page size.</param>
    /// <param name="bytes">How many, at least 1.</param>
    /// <param name="writable">Whether it may be written; otherwise a write ends the process.</param>
    /// <returns>Null if the system refuses.</returns>
    public static void* Map(SafeFileHandle file, long offset, long bytes, bool writable)
    {
        var address = MapMemory(0, (nuint)bytes, writable ? ProtectRead | ProtectWrite : ProtectRead, MapShared, Descriptor(file), offset);
        return address == MapFailed ? null : (void*)address;
    }

    /// <summary>Takes a mapping away.</summary>
    public static bool Unmap(void* address, long bytes) => UnmapMemory((nint)address, (nuint)bytes) == 0;

    /// <summary>Sleeps if a word in shared memory has a value, until it is woken; may return for no reason.</summary>
    public static void Sleep(int* word, int value) => Futex(FutexNumber!.Value, word, FutexWait, value, 0, 0, 0);

    /// <summary>Wakes all that sleep on a word, in any process.</summary>
    public static void Wake(int* word) => Futex(FutexNumber!.Value, word, FutexWake, int.MaxValue, 0, 0, 0);

    /// <summary>A file's number in this process.</summary>
    public static int Descriptor(SafeFileHandle file) => (int)file.DangerousGetHandle();

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int CreateMemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    private static partial int Truncate(int file, long bytes);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int ControlFile(int file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MapMemory(nint address, nuint bytes, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int UnmapMemory(nint address, nuint bytes);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long Futex(long number, int* word, long operation, long value, nint timeout, nint other, long unused);
}
