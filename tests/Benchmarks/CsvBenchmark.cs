using System.Diagnostics;
using System.Globalization;
using System.Text;
using Distributed.Data;

namespace Distributed.Benchmarks;

/// <summary>
/// Loading a table of numbers beside pandas' C parser, each in a process that is warm, in turn: ours until there is a dataset, standardised and
/// with its SHA-256, theirs until there is a frame.
/// </summary>
internal static class CsvBenchmark
{
    private const int Rows = 1_000_000;
    private const int Numbers = 30;
    private const int Rounds = 5;

    /// <param name="folder">Where the table is written, and deleted afterwards.</param>
    public static void Run(string folder)
    {
        Console.WriteLine(
            $"{Rows:N0} rows of {Numbers} numbers and a target: medians of {Rounds} rounds, half the distance between the quartiles"
        );
        Console.WriteLine();
        Console.WriteLine("| digits | MB | this, s | spread | pandas, s | spread | pandas / this |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var digits in new[] { 17, 6 })
        {
            var path = Path.Combine(folder, $"distributed-benchmark-{Guid.NewGuid():N}.csv");
            try
            {
                Write(path, digits);
                Compare(path, digits);
            }
            finally
            {
                File.Delete(path);
            }
        }
    }

    private static void Compare(string path, int digits)
    {
        using var pandas = Peer.OfPython("pandas_csv.py");
        Measurement ours = new(),
            theirs = new();
        Load(path); // compiled, and the file in the page cache
        pandas?.Seconds(path);
        for (var round = 0; round < Rounds; round++)
        {
            ours.Add(Load(path));
            theirs.AddFrom(pandas, path);
        }

        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {digits} | {new FileInfo(path).Length / 1e6:F0} | {ours.Median:F2} | {ours.Spread:P0} | {theirs.Median:F2} | {theirs.Spread:P0} | {theirs.Over(ours).AsRatio} |"
            )
        );
    }

    private static double Load(string path)
    {
        GC.Collect();
        var began = Stopwatch.GetTimestamp();
        var dataset = Dataset.Open(path);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        GC.KeepAlive(dataset);
        return seconds;
    }

    /// <summary>Writes numbers around 0 as programs write them: with all digits, or with a few.</summary>
    private static void Write(string path, int digits)
    {
        using var file = new StreamWriter(path, append: false, new UTF8Encoding(false), 1 << 20) { NewLine = "\n" };
        file.WriteLine(string.Join(',', Enumerable.Range(0, Numbers).Select(column => $"x{column}").Append("y")));
        var state = 1UL;
        var format = $"G{digits}";
        for (var row = 0; row < Rows; row++)
        {
            for (var column = 0; column <= Numbers; column++)
            {
                if (column > 0)
                    file.Write(',');
                file.Write(Next(ref state).ToString(format, CultureInfo.InvariantCulture));
            }

            file.WriteLine();
        }
    }

    // From -4 to 4, by the generator of Knuth's MMIX.
    private static double Next(ref ulong state)
    {
        state = (state * 6364136223846793005) + 1442695040888963407;
        return ((state >> 11) * (8.0 / (1UL << 53))) - 4;
    }
}
