using System.Diagnostics;
using Distributed.Protocol;

namespace Distributed.Worker;

/// <summary>Where a worker gets the run's token from: the environment, or a file that the coordinator may write later.</summary>
internal static class TokenSource
{
    /// <summary>How long before this worker's start a coordinator may have refused its command line and still be the one of this start.</summary>
    private static readonly TimeSpan RefusalAge = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>Reads the token, waiting for its file.</summary>
    /// <returns>The token, or null if the worker joins without one.</returns>
    /// <exception cref="InputException">There is none, or it is malformed.</exception>
    public static async Task<RunToken?> ReadAsync(WorkerOptions options, string? inherited, CancellationToken cancellationToken)
    {
        if (options.TokenFile is not null)
            return await WaitForFileAsync(options.TokenFile, options.ConnectTimeout, cancellationToken);
        if (inherited is null)
            return null;
        return RunToken.TryParse(inherited, out var token)
            ? token
            : throw new InputException($"{RunToken.EnvironmentVariable}: is not 64 hexadecimal digits; unset it and use --token-file");
    }

    private static async Task<RunToken> WaitForFileAsync(string path, int seconds, CancellationToken cancellationToken)
    {
        var oldest = DateTime.UtcNow - RefusalAge; // by the clock that dates files
        for (var began = Stopwatch.GetTimestamp(); ; await Task.Delay(PollInterval, cancellationToken))
        {
            // The coordinator renames the complete file into place, so an existing file is complete.
            if (File.Exists(path))
            {
                var text = await File.ReadAllTextAsync(path, cancellationToken);
                if (RunToken.TryParse(text, out var token))
                    return token;
                if (!text.StartsWith(RunToken.Refused, StringComparison.Ordinal))
                    throw new InputException($"--token-file {path}: is not 64 hexadecimal digits; use the file that the coordinator wrote");
                if (File.GetLastWriteTimeUtc(path) >= oldest)
                    throw new InputException($"the coordinator has refused its command line: {text[RunToken.Refused.Length..].TrimEnd()}");
            }

            if (Stopwatch.GetElapsedTime(began) >= TimeSpan.FromSeconds(seconds))
            {
                throw new InputException(
                    $"--token-file {path}: has not appeared within {seconds} seconds; "
                        + "start the coordinator with the same --token-file, or set --connect-timeout"
                );
            }
        }
    }
}
