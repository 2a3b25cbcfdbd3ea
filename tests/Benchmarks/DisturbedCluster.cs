using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Distributed.Benchmarks;

/// <summary>A run whose processes are killed and stopped, and started again: a coordinator with local workers, and workers that join.</summary>
internal sealed partial class DisturbedCluster : IDisposable
{
    private const int MostJoined = 3;
    private const int MostLines = 10_000;

    private static readonly string Worker = Path.Combine(
        Path.GetDirectoryName(TrainingBenchmark.Coordinator)!,
        OperatingSystem.IsWindows() ? "worker.exe" : "worker"
    );

    private readonly Lock _lock = new();
    private readonly string[] _options;
    private readonly string _token;
    private readonly string _address;
    private readonly TestNetwork? _network;
    private readonly HashSet<int> _members = []; // process ids; under the lock
    private readonly List<Process> _joined = [];
    private readonly ConcurrentQueue<(double Seconds, bool WasSilent)> _resumed = new();
    private readonly ConcurrentQueue<double> _changed = new();
    private Process _coordinator;
    private volatile bool _wasSilent;
    private readonly ConcurrentQueue<string> _lines = new();
    private long _step;
    private int _lost;

    /// <summary>Starts the run, on a port that is free now.</summary>
    /// <param name="options">The coordinator's command line, without an address.</param>
    /// <param name="token">The file that holds the run's token.</param>
    /// <param name="network">The hosts that it runs on; null for this one alone.</param>
    public DisturbedCluster(string[] options, string token, TestNetwork? network = null)
    {
        (_options, _token, _network) = (options, token, network);
        using (var free = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0))
        {
            free.Start();
            var host = network is null ? "127.0.0.1" : TestNetwork.Coordinator;
            _address = string.Create(CultureInfo.InvariantCulture, $"http://{host}:{((System.Net.IPEndPoint)free.LocalEndpoint).Port}");
        }

        _coordinator = StartCoordinator([]);
    }

    /// <summary>Whether the coordinator has ended by itself.</summary>
    public bool IsOver => _coordinator.HasExited;

    /// <summary>Its exit code, once all that it has written is read.</summary>
    public int ExitCode
    {
        get
        {
            _coordinator.WaitForExit();
            return _coordinator.ExitCode;
        }
    }

    /// <summary>The last step that was reported.</summary>
    public long Step => Interlocked.Read(ref _step);

    /// <summary>The last lines of the coordinators and of the workers that joined, but for those that tell of steps.</summary>
    public string Lines => string.Join('\n', _lines);

    /// <summary>How long training stood still after losses.</summary>
    public IReadOnlyCollection<(double Seconds, bool WasSilent)> Resumed => _resumed;

    /// <summary>How long it took from the last step before workers joined or left to the end of the first one after it.</summary>
    public IReadOnlyCollection<double> Changed => _changed;

    /// <summary>Workers whose loss was reported.</summary>
    public int LostWorkers => Volatile.Read(ref _lost);

    /// <summary>Kills a worker.</summary>
    /// <returns>How many.</returns>
    public int Kill(System.Random random) => Signal(random, ProcessSignal.Kill) is null ? 0 : 1;

    /// <summary>Workers that have joined and are not known to have left.</summary>
    public int Members
    {
        get
        {
            lock (_lock)
                return _members.Count;
        }
    }

    /// <summary>Stops a worker for a time, or for good.</summary>
    /// <returns>How many.</returns>
    public int Pause(System.Random random, TimeSpan time, bool forGood = false)
    {
        if (Signal(random, ProcessSignal.Stop) is not { } process)
            return 0;
        if (forGood)
            return 1;
        Thread.Sleep(time);
        _ = ProcessSignal.Send(process, ProcessSignal.Continue);
        return 1;
    }

    /// <summary>Starts a worker that joins by itself, unless there are enough.</summary>
    /// <returns>How many.</returns>
    public int Join()
    {
        _joined.RemoveAll(process => process.HasExited);
        if (_joined.Count >= MostJoined)
            return 0;
        var (host, listen) = _network?.Next() ?? (0, "http://127.0.0.1:0");
        string[] arguments =
        [
            "--coordinator",
            _address,
            "--token-file",
            _token,
            "--listen",
            listen,
            "--threads",
            "1",
            "--connect-timeout",
            "20",
        ];
        var process = Start(host, Worker, arguments);
        process.OutputDataReceived += (_, line) => Keep($"worker {process.Id}", line.Data);
        process.ErrorDataReceived += (_, line) => Keep($"worker {process.Id}", line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _joined.Add(process);
        return 1;
    }

    /// <summary>Tells a worker that joined by itself to leave.</summary>
    /// <returns>How many.</returns>
    public int Leave(System.Random random)
    {
        _joined.RemoveAll(process => process.HasExited);
        if (_joined.Count == 0)
            return 0;
        return ProcessSignal.Send(_joined[random.Next(_joined.Count)].Id, ProcessSignal.Terminate) == 0 ? 1 : 0;
    }

    /// <summary>Kills the coordinator and starts another one that takes the run over.</summary>
    /// <returns>How many.</returns>
    public int KillCoordinator()
    {
        if (Step == 0 || IsOver)
            return 0;
        _coordinator.Kill();
        _coordinator.WaitForExit();
        _coordinator.Dispose();
        lock (_lock)
            _members.Clear();
        _coordinator = StartCoordinator(["--resume"]);
        return 1;
    }

    public void Dispose()
    {
        if (!_coordinator.HasExited)
            _coordinator.Kill();
        _coordinator.WaitForExit();
        _coordinator.Dispose();
        foreach (var process in _joined)
        {
            process.Kill();
            process.Dispose();
        }
    }

    private Process StartCoordinator(string[] further)
    {
        var options = further.Contains("--resume") ? ClusterOptions() : _options;
        var process = Start(host: 0, TrainingBenchmark.Coordinator, [.. options, .. further, "--listen", _address]);
        process.OutputDataReceived += (_, line) => Take(line.Data);
        process.ErrorDataReceived += (_, line) => Keep($"coordinator {process.Id}", line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private Process Start(int host, string executable, string[] arguments)
    {
        var start = _network is null ? new ProcessStartInfo(executable, arguments) : TestNetwork.On(host, executable, arguments);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        return Process.Start(start)!;
    }

    // A resumed run takes what decides its result from its folder.
    private IEnumerable<string> ClusterOptions()
    {
        string[] kept = ["--run", "--exchange", "--transport", "--workers", "--min-workers", "--token-file"];
        return _options
            .Where((option, place) => place < 2 || option == "--ledger")
            .Concat(
                _options
                    .Zip(_options.Skip(1))
                    .Where(pair => kept.Contains(pair.First))
                    .SelectMany(pair => new[] { pair.First, pair.Second })
            );
    }

    private int? Signal(System.Random random, int signal)
    {
        lock (_lock)
        {
            if (_members.Count == 0)
                return null;
            var process = _members.Order().ElementAt(random.Next(_members.Count));
            if (signal == ProcessSignal.Kill)
                _members.Remove(process);
            return ProcessSignal.Send(process, signal) == 0 ? process : null;
        }
    }

    private void Keep(string process, string? line)
    {
        if (line is null)
            return;
        _lines.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {process}: {line}");
        if (_lines.Count > MostLines)
            _lines.TryDequeue(out _);
    }

    private void Take(string? line)
    {
        if (line is null)
            return;
        using var told = JsonDocument.Parse(line);
        var content = told.RootElement;
        var name = content.GetProperty("event").GetString();
        if (name != "stepCompleted")
            Keep("run", line);
        switch (name)
        {
            case "stepCompleted":
                Interlocked.Exchange(ref _step, content.GetProperty("step").GetInt64());
                break;
            case "workerJoined":
                lock (_lock)
                    _members.Add(content.GetProperty("processId").GetInt32());
                break;
            case "workerLeft" or "workerLost":
                var process = ProcessIn().Match(content.GetProperty("worker").GetString()!).Groups[1].ValueSpan;
                lock (_lock)
                    _members.Remove(int.Parse(process, CultureInfo.InvariantCulture));
                if (content.GetProperty("event").GetString() == "workerLost")
                {
                    Interlocked.Increment(ref _lost);
                    _wasSilent = content.GetProperty("reason").GetString()!.StartsWith("silent", StringComparison.Ordinal);
                }

                break;
            case "trainingResumed" when !content.GetProperty("afterLoss").GetBoolean():
                _changed.Enqueue(content.GetProperty("seconds").GetDouble());
                break;
            case "trainingResumed":
                _resumed.Enqueue((content.GetProperty("seconds").GetDouble(), _wasSilent));
                break;
        }
    }

    [GeneratedRegex("process ([0-9]+)")]
    private static partial Regex ProcessIn();
}
