using System.Diagnostics;
using System.Threading.Channels;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Coordinator.Cluster.Control.Sessions;
using Distributed.Data;
using Distributed.Hosting;
using Distributed.Protocol;

namespace Distributed.Coordinator.Cluster.Hosting;

/// <summary>
/// The worker processes that this coordinator starts. Each holds the reading end of a pipe whose other end is here, and ends
/// with it: the operating system closes it however the coordinator ends.
/// </summary>
internal sealed class LocalWorkers : ILocalWorkers, IAsyncDisposable
{
    private static readonly string[] Insecure = ["--insecure"];

    /// <summary>How long dismissed workers may take to exit by themselves.</summary>
    private static readonly TimeSpan LeavingTime = TimeSpan.FromSeconds(1);

    /// <summary>How long workers may take to exit once they are told that this process ends.</summary>
    private static readonly TimeSpan EndingTime = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<int, Process> _processes = []; // by number; under the lock
    private readonly List<Task> _watches = []; // under the lock
    private readonly ChannelWriter<ClusterEvent> _events;
    private readonly LogSettings _logs;
    private readonly CancellationTokenSource _ending = new();
    private Func<int, ProcessStartInfo>? _start;

    /// <summary>Starts no process yet.</summary>
    /// <param name="events">Learns of processes that end.</param>
    /// <param name="logs">What they log, which goes to this process's standard error.</param>
    public LocalWorkers(ChannelWriter<ClusterEvent> events, LogSettings logs) => (_events, _logs) = (events, logs);

    /// <summary>Starts workers.</summary>
    /// <param name="count">How many.</param>
    /// <param name="coordinator">Where they find the coordinator.</param>
    /// <param name="listen">Where they listen for their peers: a host and port 0.</param>
    /// <param name="threads">Threads of each.</param>
    /// <param name="data">What they are to load, so that samples need not be sent; null for data that lies in memory alone.</param>
    /// <param name="token">
    /// The run's token; null in an insecure run, so that those who join without one can reach the local workers, too.
    /// </param>
    /// <exception cref="RunFailedException">The worker's executable cannot be started.</exception>
    public void Start(int count, Uri coordinator, Uri listen, int threads, DataOptions? data, RunToken? token)
    {
        _start = number =>
        {
            var start = WorkerExecutable.StartInfo(
                [
                    "--coordinator",
                    coordinator.ToString(),
                    "--listen",
                    listen.ToString(),
                    "--threads",
                    $"{threads}",
                    "--log-level",
                    _logs.LevelName,
                    "--log-format",
                    _logs.FormatName,
                    .. token is null ? Insecure : [],
                ],
                token
            );
            start.Environment[WorkerEnvironment.ParentPipe] = "stdin";
            start.Environment[LocalWorker.EnvironmentVariable] = new LocalWorker(number, count, data).ToVariable();
            return start;
        };
        for (var number = 1; number <= count; number++)
            Launch(number);
    }

    /// <inheritdoc />
    public void Replace(int number, TimeSpan delay) => _ = Task.Run(() => ReplaceAsync(number, delay));

    /// <inheritdoc />
    public void Kill(int number, int processId)
    {
        lock (_lock)
        {
            if (_processes.TryGetValue(number, out var process) && process.Id == processId)
                Kill(process);
        }
    }

    /// <summary>Waits for the processes to end, and ends those that do not.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        var (processes, watches) = Launched(); // and no more
        var ended = Task.WhenAll(watches);
        await Task.WhenAny(ended, Task.Delay(LeavingTime));
        foreach (var process in processes.Where(process => !process.HasExited))
            process.StandardInput.Close(); // one that has not joined knows nothing of a dismissal
        await Task.WhenAny(ended, Task.Delay(EndingTime));
        processes.ForEach(Kill);
        await ended;
        processes.ForEach(process => process.Dispose());
        _ending.Dispose();
    }

    // It may have ended by itself at the same moment.
    private static void Kill(Process process)
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
    }

    private (List<Process> Processes, List<Task> Watches) Launched()
    {
        lock (_lock)
            return ([.. _processes.Values], [.. _watches]);
    }

    private async Task ReplaceAsync(int number, TimeSpan delay)
    {
        try
        {
            await Task.Delay(delay, _ending.Token);
            Launch(number);
        }
        catch (OperationCanceledException)
        {
            // The run has ended.
        }
        catch (RunFailedException exception)
        {
            _events.TryWrite(new LocalWorkerExited(number, 0, exception.Message));
        }
    }

    private void Launch(int number)
    {
        lock (_lock)
        {
            _ending.Token.ThrowIfCancellationRequested();
            if (_processes.Remove(number, out var previous))
                previous.Dispose();
            var kills = MemoryKills.Read();
            var process = WorkerExecutable.Launch(_start!(number));
            _processes.Add(number, process);
            _watches.Add(WatchAsync(number, process, kills));
        }
    }

    private async Task WatchAsync(int number, Process process, long? kills)
    {
        var processId = process.Id;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = new ErrorOutput();
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            if (_logs.LineOfWorker(line, processId) is { } logged)
                await StandardStreams.Error.WriteLineAsync(logged);
            else
                errors.Add(line);
        }

        await output;
        await process.WaitForExitAsync();
        var end = new ProcessEnd(process.ExitCode, errors, kills, MemoryKills.Read());
        if (end.WasInterrupted)
            _events.TryWrite(new Interrupted());
        _events.TryWrite(new LocalWorkerExited(number, processId, end.Cause(), end.WasKilled));
    }
}
