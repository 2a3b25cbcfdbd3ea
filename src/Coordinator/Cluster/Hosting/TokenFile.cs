using Distributed.Checkpoints;
using Distributed.Coordinator.Runs;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Hosting;

/// <summary>The run's token as the coordinator gets it: from a file that it makes if it is not there, or new for each run.</summary>
internal static class TokenFile
{
    /// <summary>The token that every call must carry.</summary>
    /// <returns>Null only in an insecure run.</returns>
    /// <exception cref="InputException">The file is not a token, or cannot be read or written.</exception>
    public static RunToken? Open(ClusterOptions options)
    {
        if (options.Insecure)
            return null;
        if (options.TokenFile is not { } path)
            return RunToken.Create();
        try
        {
            return File.Exists(path) ? Read(path) : Write(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new InputException(
                $"--token-file {path}: cannot be used ({exception.Message.TrimEnd('.')}); "
                    + "name a file that this user can read, or a folder that it can write",
                exception
            );
        }
    }

    private static RunToken Read(string path) =>
        RunToken.TryParse(File.ReadAllText(path), out var token)
            ? token
            : throw new InputException($"--token-file {path}: is not 64 hexadecimal digits; delete it to have a new token written");

    // Workers may be waiting for it: it appears whole, and readable by this user alone.
    private static RunToken Write(string path)
    {
        var token = RunToken.Create();
        AtomicFile.WriteText(path, token.Reveal() + "\n", ownerOnly: true);
        return token;
    }
}
