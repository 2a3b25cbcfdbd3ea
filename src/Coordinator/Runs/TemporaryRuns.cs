namespace Distributed.Coordinator.Runs;

/// <summary>A temporary folder for runs that are not kept; deleted on disposal.</summary>
internal sealed class TemporaryRuns : IDisposable
{
    private static readonly string Variable = OperatingSystem.IsWindows() ? "TMP" : "TMPDIR";

    private readonly DirectoryInfo _folder;
    private int _runs;

    /// <summary>Makes the folder.</summary>
    /// <param name="prefix">What its name begins with.</param>
    /// <param name="purpose">What needs it, for the message.</param>
    /// <exception cref="InputException">It cannot be made.</exception>
    internal TemporaryRuns(string prefix, string purpose)
    {
        try
        {
            _folder = Directory.CreateTempSubdirectory(prefix);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException(
                $"{Path.GetTempPath()}: cannot be written ({exception.Message.TrimEnd('.')}); "
                    + $"{purpose} needs a temporary folder, so name another by the environment variable {Variable}",
                exception
            );
        }
    }

    /// <summary>The path for a new run.</summary>
    internal string Next() => Path.Combine(_folder.FullName, $"run-{++_runs}");

    /// <summary>Removes all runs.</summary>
    public void Dispose() => _folder.Delete(recursive: true);
}
