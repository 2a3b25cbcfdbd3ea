using System.Diagnostics;

namespace Distributed.Integration.Support;

/// <summary>Processes that are no children of the tests.</summary>
internal static class ProcessTable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until processes have ended.</summary>
    public static async Task GoneAsync(params IEnumerable<int> processes)
    {
        var patience = Stopwatch.StartNew();
        foreach (var process in processes)
        {
            // The system tells only parents of an end; others have to look.
            while (IsRunning(process))
            {
                if (patience.Elapsed > RunningProcess.Patience)
                    throw new TimeoutException($"Process {process} was left behind.");
                await Task.Delay(PollInterval);
            }
        }
    }

    private static bool IsRunning(int process) => OperatingSystem.IsLinux() ? IsRunningOnLinux(process) : IsKnown(process);

    // A process that has ended but was not asked for its exit code (state Z) runs no more; in a container nobody may ever ask.
    private static bool IsRunningOnLinux(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..][0] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static bool IsKnown(int process)
    {
        try
        {
            using var known = Process.GetProcessById(process);
            return !known.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
