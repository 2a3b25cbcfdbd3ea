using Distributed.Hosting;
using Distributed.Worker.CommandLine;

namespace Distributed.Worker.Sessions;

/// <summary>
/// Ends a process whose computation hangs. The end of a session ends the work at its next layer; a thread that does not come there can
/// be ended by nothing inside the process, which would stay behind for good.
/// </summary>
internal static class HungWork
{
    // As long as the coordinator gives a member to leave its step; counted in seconds that this process has lived through.
    private const int MostSeconds = 15;

    /// <summary>Waits for the work of a session.</summary>
    /// <param name="working">The work.</param>
    /// <param name="session">Completes with the session.</param>
    /// <param name="ended">Why the session has ended; null where the work may take its time.</param>
    public static async Task AwaitAsync(Task working, Task session, Func<Exception?> ended)
    {
        await Task.WhenAny(working, session);
        for (var second = 0; second < MostSeconds && ended() is not null && !working.IsCompleted; second++)
            await Task.WhenAny(working, Task.Delay(TimeSpan.FromSeconds(1)));
        if (!working.IsCompleted && ended() is { } reason)
        {
            await StandardStreams.Error.WriteLineAsync(
                $"{reason.Message}; the computation of this worker hangs, so that its process ends: start it again"
            );
            await StandardStreams.CompleteAsync();
            Environment.Exit(ExitCode.Later);
        }

        await working;
    }
}
