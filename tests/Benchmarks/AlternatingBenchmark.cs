using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Distributed.Benchmarks;

/// <summary>
/// This build beside another while both train on and on: two runs of two workers each, of which one stands still (SIGSTOP) while the other is
/// counted, in slices of a few seconds. Start-up and compilation are over, and what the machine does meanwhile falls on neighbouring slices.
/// </summary>
internal static class AlternatingBenchmark
{
    private const int Slices = 40;
    private const string Endless = "1000000000";

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(25),
        Settling = TimeSpan.FromSeconds(0.3),
        Slice = TimeSpan.FromSeconds(2.5);

    /// <param name="other">The coordinator of the other build.</param>
    /// <param name="models">What to train, and the samples of a step.</param>
    public static void Run(string other, IEnumerable<(string Model, int Batch)> models)
    {
        Console.WriteLine(
            $"Medians of {Slices} pairs of slices of {Slice.TotalSeconds} s; the interval holds the ratio's median with a probability of 99 %."
        );
        Console.WriteLine();
        Console.WriteLine("| two workers, shared memory | other, steps/s | this, steps/s | this / other | interval |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var (model, batch) in models)
            Compare(other, model, batch);
    }

    private static void Compare(string other, string model, int batch)
    {
        using var before = new PausedRun(other, model, batch);
        using var after = new PausedRun(TrainingBenchmark.Coordinator, model, batch);
        Measurement others = new(),
            ours = new();
        for (var slice = 0; slice < Slices; slice++)
        {
            if (slice % 2 == 0)
                others.Add(before.StepsPerSecond());
            ours.Add(after.StepsPerSecond());
            if (slice % 2 != 0)
                others.Add(before.StepsPerSecond());
        }

        var ratio = ours.Over(others);
        // Of 40 values the median lies between the 12th and the 29th with a probability of 99 %, whatever the distribution.
        var (low, high) = ratio.Between(12);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {model} | {others.Median:F2} | {ours.Median:F2} | {ratio.Median:F3} | {low:F3} to {high:F3} |"
            )
        );
    }

    /// <summary>A training that stands still unless it is counted.</summary>
    private sealed class PausedRun : IDisposable
    {
        private readonly string _folder = Path.Combine(Path.GetTempPath(), $"distributed-benchmark-{Guid.NewGuid():N}");
        private readonly Process _coordinator;
        private readonly int[] _processes; // the coordinator and its local workers

        public PausedRun(string coordinator, string model, int batch)
        {
            var start = new ProcessStartInfo(coordinator) { RedirectStandardOutput = true };
            string[] arguments =
            [
                .. new[] { "train", "--data", "fashion-mnist", "--model", model, "--run", _folder, "--quiet", "--schedule", "constant" },
                .. new[] { "--workers", "2", "--threads", "1", "--transport", "shm", "--learning-rate", "0.001", "--steps", Endless },
                .. new[]
                {
                    "--eval-every",
                    Endless,
                    "--checkpoint-every",
                    Endless,
                    "--batch-size",
                    batch.ToString(CultureInfo.InvariantCulture),
                },
            ];
            foreach (var argument in arguments)
                start.ArgumentList.Add(argument);
            _coordinator = Process.Start(start)!;
            Thread.Sleep(WarmUp);
            _processes = [_coordinator.Id, .. ChildrenOf(_coordinator.Id)];
            Signal(ProcessSignal.Stop);
        }

        /// <summary>Lets it train for a slice.</summary>
        public double StepsPerSecond()
        {
            Signal(ProcessSignal.Continue);
            Thread.Sleep(Settling);
            var (first, began) = (LastStep(), Stopwatch.GetTimestamp());
            Thread.Sleep(Slice);
            var rate = (LastStep() - first) / Stopwatch.GetElapsedTime(began).TotalSeconds;
            Signal(ProcessSignal.Stop);
            return rate;
        }

        public void Dispose()
        {
            Signal(ProcessSignal.Continue);
            _coordinator.Kill(entireProcessTree: true);
            _coordinator.WaitForExit();
            _coordinator.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        private void Signal(int signal)
        {
            foreach (var process in _processes)
                _ = ProcessSignal.Send(process, signal);
        }

        // A process's children are listed with the thread that started them.
        private static IEnumerable<int> ChildrenOf(int process) =>
            Directory
                .EnumerateDirectories($"/proc/{process}/task")
                .SelectMany(thread => Children(Path.Combine(thread, "children")))
                .Select(child => int.Parse(child, CultureInfo.InvariantCulture));

        private static string[] Children(string list)
        {
            try
            {
                return File.ReadAllText(list).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            }
            catch (IOException)
            {
                return []; // the thread has ended, and its children are another's
            }
        }

        private long LastStep()
        {
            const int tail = 4096;
            using var file = new FileStream(Path.Combine(_folder, "metrics.jsonl"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            file.Seek(Math.Max(0, file.Length - tail), SeekOrigin.Begin);
            using var reader = new StreamReader(file, Encoding.UTF8);
            var line = reader.ReadToEnd().Split('\n').Last(text => text.StartsWith('{') && text.EndsWith('}'));
            return JsonElement.Parse(line).GetProperty("step").GetInt64();
        }
    }
}
