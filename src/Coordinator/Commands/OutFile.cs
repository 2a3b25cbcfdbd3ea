namespace Distributed.Coordinator.Commands;

/// <summary>The file that <c>--out</c> names.</summary>
internal static class OutFile
{
    /// <summary>Writes it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes it, complete or not at all.</param>
    /// <exception cref="InputException">The system does not let it.</exception>
    internal static void Write(string path, Action<string> write)
    {
        try
        {
            write(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"--out {path}: cannot be written ({exception.Message})", exception);
        }
    }
}
