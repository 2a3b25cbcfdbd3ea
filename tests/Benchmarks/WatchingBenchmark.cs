using System.Globalization;
using System.Text.Json;

namespace Distributed.Benchmarks;

/// <summary>
/// What watching costs: runs of two workers with the page, the report, a trace, TensorBoard's curves, meters and debug logs, beside runs that say
/// nothing, in turn.
/// </summary>
internal static class WatchingBenchmark
{
    private const int Pairs = 15;
    private const int Rank = 4; // of 15 values the median lies between the 4th and the 12th with a probability of 96 %

    private static readonly string[] Everything = ["--dashboard", "http://127.0.0.1:0", "--tensorboard", "--trace", "--log-level", "debug"];
    private static readonly string[] Nothing = ["--quiet", "--dashboard", "off"];

    public static void Run()
    {
        Console.WriteLine(
            $"fashion-mnist, two workers of one thread, samples/s: medians of {Pairs} pairs of runs; the interval holds the ratio's median with a probability of 96 %."
        );
        Console.WriteLine();
        Console.WriteLine("| model | nothing watched | everything watched | ratio | interval |");
        Console.WriteLine("|---|---|---|---|---|");
        Compare("mlp", epochs: 12); // starting the page costs a core half a second, which short runs would show
        Compare("mlp:64", epochs: 60);
    }

    private static void Compare(string model, int epochs)
    {
        Measurement plain = new(),
            watched = new();
        for (var pair = 0; pair < Pairs; pair++)
        {
            if (pair % 2 == 0)
                plain.Add(Rate(model, epochs, Nothing));
            watched.Add(Rate(model, epochs, Everything));
            if (pair % 2 != 0)
                plain.Add(Rate(model, epochs, Nothing));
        }

        var ratio = watched.Over(plain);
        var (low, high) = ratio.Between(Rank);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {model} | {plain.Median:N0} | {watched.Median:N0} | {ratio.Median:F3} | {low:F3} to {high:F3} |"
            )
        );
    }

    private static double Rate(string model, int epochs, string[] options)
    {
        var folder = Path.Combine(Path.GetTempPath(), $"distributed-benchmark-{Guid.NewGuid():N}");
        string[] arguments =
        [
            .. new[] { "train", "--data", "fashion-mnist", "--model", model, "--batch-size", "256", "--workers", "2", "--threads", "1" },
            .. new[] { "--epochs", epochs.ToString(CultureInfo.InvariantCulture), "--run", folder },
            .. options,
        ];
        try
        {
            TrainingBenchmark.Output("/bin/sh", ["-c", "exec \"$0\" \"$@\" 2>/dev/null", TrainingBenchmark.Coordinator, .. arguments]);
            using var summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "summary.json")));
            return summary.RootElement.GetProperty("samplesPerSecond").GetDouble();
        }
        finally
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }
}
