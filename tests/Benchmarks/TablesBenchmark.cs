using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Distributed.Benchmarks;

/// <summary>
/// What comes of two tables by the defaults alone, beside scikit-learn's gradient boosting, multilayer perceptron and linear model in the same
/// run: the mean over some seeds of the figure on every fifth row, which neither side sees before.
/// </summary>
internal static class TablesBenchmark
{
    private const int Seeds = 5;

    private static readonly (string File, string Target, string Task, string Figure)[] Tables =
    [
        ("adult.csv.gz", "Salary", "classification", "testAuc"),
        ("housing.csv.gz", "median_house_value", "regression", "testRmse"),
    ];

    /// <param name="folder">Where <c>adult.csv.gz</c> and <c>housing.csv.gz</c> lie.</param>
    public static void Run(string folder)
    {
        Console.WriteLine(
            $"Means over seeds 0 to {Seeds - 1}, with the smallest and the largest; seconds of one training, start-up included."
        );
        Console.WriteLine();
        Console.WriteLine("| table | model | figure | from | to | seconds |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach (var (file, target, task, figure) in Tables)
        {
            var path = Path.Combine(folder, file);
            List<double> values = [];
            var began = Stopwatch.GetTimestamp();
            for (var seed = 0; seed < Seeds; seed++)
                values.Add(Train(path, target, seed, figure));
            Write(file, $"this, {figure}", values, Stopwatch.GetElapsedTime(began).TotalSeconds / Seeds);
            foreach (var line in PeerLines(path, target, task))
            {
                double[] numbers = [.. line[1..].Select(text => double.Parse(text, CultureInfo.InvariantCulture))];
                Write(file, $"scikit-learn, {line[0]}", numbers[..^1], numbers[^1] / Seeds);
            }
        }
    }

    private static double Train(string path, string target, int seed, string figure)
    {
        var folder = Path.Combine(Path.GetTempPath(), $"distributed-benchmark-{Guid.NewGuid():N}");
        string[] arguments =
        [
            .. new[] { "train", "--data", path, "--label-column", target, "--workers", "2", "--run", folder, "--quiet" },
            .. new[] { "--seed", seed.ToString(CultureInfo.InvariantCulture) },
        ];
        try
        {
            TrainingBenchmark.Output(TrainingBenchmark.Coordinator, arguments);
            using var summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "summary.json")));
            return summary.RootElement.GetProperty(figure).GetDouble();
        }
        finally
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }

    private static IEnumerable<string[]> PeerLines(string path, string target, string task) =>
        TrainingBenchmark
            .Output(Peer.Python, [Peer.Source("sklearn_tables.py"), path, target, task, Seeds.ToString(CultureInfo.InvariantCulture)])
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('\t'));

    private static void Write(string table, string model, IReadOnlyList<double> values, double seconds) =>
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {table} | {model} | {values.Average():G6} | {values.Min():G6} | {values.Max():G6} | {seconds:F1} |"
            )
        );
}
