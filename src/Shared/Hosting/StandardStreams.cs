using System.Runtime.InteropServices;

namespace Distributed.Hosting;

/// <summary>The process's standard output and error as it was started with them.</summary>
/// <remarks>
/// Where a process starts with a stream closed, the number is free, and the first file that is opened gets it: what is written to
/// "standard output" would then land in that file. Files that a process opens itself are closed when it executes another program; a
/// stream that it was started with cannot have that mark.
/// </remarks>
internal static partial class StandardStreams
{
    private const int OutputNumber = 1;
    private const int ErrorNumber = 2;
    private const int GetDescriptorFlags = 1; // F_GETFD
    private const int CloseOnExec = 1; // FD_CLOEXEC
    private const int ReadWrite = 2; // O_RDWR

    /// <summary>How long what was said last may take to be taken.</summary>
    private static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(2);

    private static readonly Lazy<QueuedWriter> QueuedError = new(() =>
        new QueuedWriter(IsOpen(ErrorNumber) ? Console.Error : TextWriter.Null)
    );

    private static readonly Lazy<TextWriter> OpenOutput = new(() => IsOpen(OutputNumber) ? Console.Out : TextWriter.Null);

    /// <summary>Standard output; writing fails where it cannot be written.</summary>
    public static TextWriter Output => OpenOutput.Value;

    /// <summary>Standard error; what cannot be written is lost.</summary>
    public static TextWriter Error => QueuedError.Value;

    /// <summary>Keeps the numbers of streams that are closed from being given to files; to be called before any file is opened.</summary>
    public static void Reserve()
    {
        if (OperatingSystem.IsWindows())
            return;
        for (var number = 0; number <= ErrorNumber; number++)
        {
            if (DescriptorFlags(number, GetDescriptorFlags, 0) < 0)
                _ = OpenFile("/dev/null", ReadWrite); // gets the lowest number that is free
        }
    }

    /// <summary>Waits a bounded time until what was said on standard error is written.</summary>
    public static Task CompleteAsync() => QueuedError.IsValueCreated ? QueuedError.Value.CompleteAsync(ClosingTime) : Task.CompletedTask;

    private static bool IsOpen(int number) =>
        OperatingSystem.IsWindows() || DescriptorFlags(number, GetDescriptorFlags, 0) is >= 0 and var flags && (flags & CloseOnExec) == 0;

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int DescriptorFlags(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);
}
