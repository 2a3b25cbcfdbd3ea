using System.Diagnostics;
using System.Globalization;

namespace Distributed.Benchmarks;

/// <summary>
/// From the command to the end of the first training step, with processes, servers and compilation: <c>digits</c> with two local workers,
/// beside PyTorch's DistributedDataParallel with two ranks.
/// </summary>
internal static class StartBenchmark
{
    private const int Rounds = 15;

    public static void Run()
    {
        Measurement ours = new(),
            theirs = new();
        for (var round = 0; round < Rounds; round++)
        {
            ours.Add(OurSeconds());
            if (File.Exists(Peer.Python))
                theirs.Add(Seconds(Peer.Python, [Peer.Source("pytorch_start.py"), "2", Peer.Source("digits.csv.gz")], "first step"));
        }

        Console.WriteLine(
            $"digits, mlp, two workers, from the command to the end of the first step: medians of {Rounds} alternating runs, half the distance between the quartiles"
        );
        Console.WriteLine();
        Console.WriteLine("| | seconds | from | to |");
        Console.WriteLine("|---|---|---|---|");
        Tell("coordinator train", ours);
        Tell("PyTorch DDP over Gloo", theirs);
        Console.WriteLine();
        Console.WriteLine($"PyTorch's time over ours: {theirs.Over(ours).AsRatio}");
    }

    private static void Tell(string name, Measurement seconds)
    {
        var (first, last) = seconds.Between(1);
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"| {name} | {seconds.Median:F2} ± {seconds.Spread:P0} | {first:F2} | {last:F2} |")
        );
    }

    private static double OurSeconds()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"distributed-benchmark-{Guid.NewGuid():N}");
        try
        {
            string[] arguments = ["train", "--data", "digits", "--workers", "2", "--epochs", "1", "--json", "--run", folder];
            return Seconds(TrainingBenchmark.Coordinator, arguments, "\"stepCompleted\"");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Seconds from a program's start to the first line with a text; the program is left to end by itself.</summary>
    private static double Seconds(string program, string[] arguments, string text)
    {
        var start = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        double? seconds = null;
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (seconds is null && line.Contains(text, StringComparison.Ordinal))
                seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        process.WaitForExit();
        return seconds ?? throw new InvalidOperationException($"{program} ended with {process.ExitCode} without '{text}'.");
    }
}
