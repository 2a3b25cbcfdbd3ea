using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Distributed.Benchmarks;

/// <summary>
/// What a checkpoint costs the training of 100 million parameters on two workers: the time of the steps while it is copied, sent, hashed
/// and written, over the median step; how long it takes until it is on disk; and the most memory of each process.
/// </summary>
internal sealed partial class CheckpointBenchmark : IDisposable
{
    private const int Workers = 2;
    private const int Every = 12;
    private const int WarmUp = 4; // steps in which memory is touched for the first time

    // 64 x 9000 + 9000 x 9000 + 9000 x 2000 + 2000 x 10, and the biases.
    private const string Model = """
        {"layers":[
          {"type":"dense","units":9000},{"type":"relu"},
          {"type":"dense","units":9000},{"type":"relu"},
          {"type":"dense","units":2000},{"type":"relu"}
        ]}
        """;

    private readonly string _folder;
    private readonly List<double> _steps = []; // seconds of each, from the first
    private readonly Dictionary<long, double> _saved = []; // seconds from the end of a step until its state was on disk
    private readonly Dictionary<string, int> _processes = [];
    private readonly Dictionary<string, double> _memory = [];

    private CheckpointBenchmark(string parent) => _folder = Path.Combine(parent, $"checkpoint-benchmark-{Environment.ProcessId}");

    /// <param name="folder">Where the run is written: its disk is measured.</param>
    /// <param name="checkpoints">How many are measured, after a first one.</param>
    public static void Run(string folder, int checkpoints)
    {
        using var benchmark = new CheckpointBenchmark(folder);
        benchmark.Measure(steps: (checkpoints + 2) * Every);
        benchmark.Print();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Measure(int steps)
    {
        Directory.CreateDirectory(_folder);
        var model = Path.Combine(_folder, "model.json");
        File.WriteAllText(model, Model);
        using var coordinator = Process.Start(
            new ProcessStartInfo(
                TrainingBenchmark.Coordinator,
                [
                    .. "train --json --data digits --batch-size 64 --microbatch 32 --eval-every 1000000 --schedule constant".Split(' '),
                    "--model",
                    model,
                    "--steps",
                    $"{steps}",
                    "--checkpoint-every",
                    $"{Every}",
                    "--workers",
                    $"{Workers}",
                    "--run",
                    Path.Combine(_folder, "run"),
                ]
            )
            {
                RedirectStandardOutput = true,
            }
        )!;
        _processes["coordinator"] = coordinator.Id;
        var ends = new List<long>();
        while (coordinator.StandardOutput.ReadLine() is { } line)
        {
            var now = Stopwatch.GetTimestamp();
            var told = JsonElement.Parse(line);
            switch (told.GetProperty("event").GetString())
            {
                case "workerJoined" when Name().Match(told.GetProperty("worker").GetString()!) is { Success: true } name:
                    _processes[name.Groups[1].Value] = told.GetProperty("processId").GetInt32();
                    break;
                case "runStarted":
                    ends.Add(now);
                    break;
                case "stepCompleted":
                    _steps.Add(Stopwatch.GetElapsedTime(ends[^1], now).TotalSeconds);
                    ends.Add(now);
                    break;
                case "checkpointSaved":
                    var step = told.GetProperty("step").GetInt64();
                    _saved[step] = Stopwatch.GetElapsedTime(ends[(int)step], now).TotalSeconds;
                    NoteMemory();
                    break;
            }
        }

        coordinator.WaitForExit();
        if (coordinator.ExitCode != 0)
            throw new InvalidOperationException($"The coordinator ended with {coordinator.ExitCode}.");
    }

    private void NoteMemory()
    {
        foreach (var (name, process) in _processes)
        {
            if (PeakMemory(process) is { } bytes)
                _memory[name] = Math.Max(_memory.GetValueOrDefault(name), bytes);
        }
    }

    // Linux alone keeps it; a process that has just ended has none.
    private static double? PeakMemory(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status")
                .FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null
                ? null
                : double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private void Print()
    {
        Measurement quiet = new(),
            longest = new(),
            stall = new(),
            disk = new();
        for (var step = WarmUp; step <= _steps.Count; step++)
        {
            if (!_saved.Keys.Any(saved => step > saved && step <= saved + Touched(saved)))
                quiet.Add(_steps[step - 1]);
        }

        // The first checkpoint touches the memory of the copies for the first time; the last one has no steps behind it.
        foreach (var saved in _saved.Keys.Order().Skip(1).SkipLast(1))
        {
            var touched = _steps.Skip((int)saved).Take(Touched(saved)).ToList();
            longest.Add(touched.Max() / quiet.Median);
            stall.Add(touched.Sum(seconds => seconds - quiet.Median) / quiet.Median);
            disk.Add(_saved[saved]);
        }

        var first = _steps.Skip(Every).Take(Touched(Every)).ToList();
        Console.WriteLine("| what | median | half the interquartile range |");
        Console.WriteLine("|---|---|---|");
        Row("a step without a checkpoint, s", quiet.Median, quiet.Spread);
        Row("the longest step while one is written / such a step", longest.Median, longest.Spread);
        Row("all that these steps take longer / such a step", stall.Median, stall.Spread);
        Row("the same of the first checkpoint", first.Sum(seconds => seconds - quiet.Median) / quiet.Median, double.NaN);
        Row("from the step's end to the disk, s", disk.Median, disk.Spread);
        foreach (var (name, bytes) in _memory)
            Row($"the most memory of {name}, GiB", bytes / (1 << 30), double.NaN);
    }

    // Until the file is on disk, and one step at least.
    private int Touched(long saved)
    {
        var (left, count) = (_saved[saved], 0);
        for (var step = (int)saved; step < _steps.Count && left > 0; step++, count++)
            left -= _steps[step];
        return Math.Max(1, count);
    }

    private static void Row(string what, double value, double spread) =>
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {what} | {value:0.00} | {(double.IsNaN(spread) ? "-" : spread.ToString("P0", CultureInfo.InvariantCulture))} |"
            )
        );

    [GeneratedRegex(@"^(worker \d+) ")]
    private static partial Regex Name();
}
