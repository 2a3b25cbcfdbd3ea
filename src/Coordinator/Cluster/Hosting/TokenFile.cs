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
            return HoldsToken(path) ? Read(path) : Write(path);
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

    /// <summary>
    /// Tells those who wait for the token that this coordinator has refused its command line; a token that is there already stays.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="reason">Why.</param>
    public static void Refuse(string path, string reason)
    {
        try
        {
            if (!HoldsToken(path))
                AtomicFile.WriteText(path, $"{RunToken.Refused}{reason.ReplaceLineEndings(" ")}\n", ownerOnly: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // They wait for their own time.
        }
    }

    private static bool HoldsToken(string path) =>
        File.Exists(path) && !File.ReadAllText(path).StartsWith(RunToken.Refused, StringComparison.Ordinal);

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
