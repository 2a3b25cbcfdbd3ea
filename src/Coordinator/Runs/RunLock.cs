namespace Distributed.Coordinator.Runs;

/// <summary>Locks a run folder for one process. The operating system releases the lock when the process ends, however it ends.</summary>
internal sealed class RunLock : IDisposable
{
    private const string Name = "lock";
    private const int WouldBlock = 11; // EWOULDBLOCK of Linux, which the runtime hands on
    private const int WouldBlockOfMacOS = 35;
    private const int SharingViolation = unchecked((int)0x80070020); // of Windows

    private readonly FileStream _file;

    private RunLock(FileStream file) => _file = file;

    /// <summary>Creates the folder if necessary and locks it.</summary>
    /// <exception cref="InputException">Another process holds it, or it cannot be written.</exception>
    internal static RunLock Take(string folder)
    {
        try
        {
            DirectoryFlush.Create(folder);
            return new RunLock(new FileStream(Path.Combine(folder, Name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new InputException($"--run {folder}: cannot be written; choose a folder that you may write to", exception);
        }
        catch (IOException exception) when (IsInUse(exception))
        {
            throw new FolderInUseException(
                $"--run {folder}: is in use by another coordinator; wait for its end, or name another folder",
                exception
            );
        }
        catch (IOException exception)
        {
            throw new InputException(
                File.Exists(folder)
                    ? $"--run {folder}: is a file; name a folder"
                    : $"--run {folder}: cannot be made or written ({exception.Message.TrimEnd('.')}); choose another folder",
                exception
            );
        }
    }

    private static bool IsInUse(IOException exception) =>
        exception.HResult
        == (
            OperatingSystem.IsWindows() ? SharingViolation
            : OperatingSystem.IsMacOS() ? WouldBlockOfMacOS
            : WouldBlock
        );

    /// <summary>Deletes the lock file; call it only after the lock has been released.</summary>
    internal static void Remove(string folder) => File.Delete(Path.Combine(folder, Name));

    /// <summary>Releases the folder.</summary>
    public void Dispose() => _file.Dispose();
}
