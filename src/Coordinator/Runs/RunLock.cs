namespace Distributed.Coordinator.Runs;

/// <summary>Holds a run folder for one process. The operating system lets go of it when the process ends, however it ends.</summary>
internal sealed class RunLock : IDisposable
{
    private const string Name = "lock";

    private readonly FileStream _file;

    private RunLock(FileStream file) => _file = file;

    /// <summary>Makes the folder if need be and locks it.</summary>
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

    /// <summary>Deletes the lock's file; only after letting go of it.</summary>
    internal static void Remove(string folder) => File.Delete(Path.Combine(folder, Name));

    /// <summary>Lets go of the folder.</summary>
    public void Dispose() => _file.Dispose();
}
