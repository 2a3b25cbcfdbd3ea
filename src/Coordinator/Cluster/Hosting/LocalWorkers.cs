using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Data;
using Distributed.Hosting;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Hosting;

/// <summary>
/// The worker processes that this coordinator starts. Each holds the reading end of a pipe whose other end is here, and ends
/// with it: the operating system closes it however the coordinator ends.
/// </summary>
internal sealed class LocalWorkers : IAsyncDisposable
{
    private const int SignalBase = 128;

    /// <summary>How long dismissed workers may take to exit by themselves.</summary>
    private static readonly TimeSpan LeavingTime = TimeSpan.FromSeconds(1);

    /// <summary>How long workers may take to exit once they are told that this process ends.</summary>
    private static readonly TimeSpan EndingTime = TimeSpan.FromSeconds(10);

    private readonly List<Process> _processes = [];
    private readonly List<Task> _watches = [];
    private readonly ChannelWriter<ClusterEvent> _events;

    /// <summary>Starts no process yet.</summary>
    /// <param name="events">Learns of processes that end.</param>
    public LocalWorkers(ChannelWriter<ClusterEvent> events) => _events = events;

    /// <summary>Starts workers.</summary>
    /// <param name="count">How many.</param>
    /// <param name="coordinator">Where they find the coordinator.</param>
    /// <param name="threads">Threads of each.</param>
    /// <param name="data">What they are to load, so that samples need not be sent.</param>
    /// <param name="token">
    /// The run's token; null in an insecure run, so that those who join without one can reach the local workers, too.
    /// </param>
    /// <exception cref="RunFailedException">The worker's executable cannot be started.</exception>
    public void Start(int count, Uri coordinator, int threads, DataOptions data, RunToken? token)
    {
        for (var number = 1; number <= count; number++)
        {
            var start = WorkerExecutable.StartInfo(["--coordinator", coordinator.ToString(), "--threads", $"{threads}"], token);
            start.Environment[WorkerEnvironment.ParentPipe] = "stdin";
            start.Environment[LocalWorker.EnvironmentVariable] = new LocalWorker(number, count, data).ToVariable();
            _processes.Add(WorkerExecutable.Launch(start));
            _watches.Add(WatchAsync(number, _processes[^1]));
        }
    }

    /// <summary>Waits for the processes to end, and ends those that do not.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAny(Task.WhenAll(_watches), Task.Delay(LeavingTime));
        foreach (var process in _processes.Where(process => !process.HasExited))
            process.StandardInput.Close(); // one that has not joined knows nothing of a dismissal
        await Task.WhenAny(Task.WhenAll(_watches), Task.Delay(EndingTime));
        foreach (var process in _processes.Where(process => !process.HasExited))
            process.Kill(entireProcessTree: true);
        await Task.WhenAll(_watches);
        foreach (var process in _processes)
            process.Dispose();
    }

    private async Task WatchAsync(int number, Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        var last = "";
        while (await process.StandardError.ReadLineAsync() is { } line)
            last = ErrorOutput.IsMessage(line) ? line : last;
        await output;
        await process.WaitForExitAsync();
        _events.TryWrite(new LocalWorkerExited(number, process.Id, Cause(process.ExitCode, last)));
    }

    private static string Cause(int exitCode, string lastLine)
    {
        var how = exitCode switch
        {
            SignalBase + 9 => "the process was killed (SIGKILL; out of memory?)",
            SignalBase + 6 => "the process was aborted (SIGABRT)",
            SignalBase + 11 => "the process crashed (SIGSEGV)",
            SignalBase + 15 => "the process was terminated (SIGTERM)",
            _ => string.Create(CultureInfo.InvariantCulture, $"the process ended with exit code {exitCode}"),
        };
        return lastLine.Length == 0 ? how : $"{how}, its last words: {lastLine}";
    }
}
