namespace Distributed.Coordinator.Runs;

/// <summary>Locks a run folder for one process. The operating system releases the lock when the process ends, however it ends.</summary>
internal sealed class RunLock : IDisposable
{
    private const string Name = "lock";

    private readonly FileStream _file;

    private RunLock(FileStream file) => _file = file;

    /// <summary>Creates the folder if necessary and locks it.</summary>
    /// <exception cref="InputException">Another process holds it, or it cannot be written.</exception>
    internal static RunLock Take(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return new RunLock(new FileStream(Path.Combine(folder, Name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new InputException($"--run {folder}: cannot be written; choose a folder that you may write to", exception);
        }
        catch (IOException exception)
        {
            throw new InputException(
                $"--run {folder}: cannot be locked, another coordinator may be using it ({exception.Message.TrimEnd('.')})",
                exception
            );
        }
    }

    /// <summary>Deletes the lock file; call it only after the lock has been released.</summary>
    internal static void Remove(string folder) => File.Delete(Path.Combine(folder, Name));

    /// <summary>Releases the folder.</summary>
    public void Dispose() => _file.Dispose();
}
