using System.Diagnostics;
using System.Globalization;
using System.Text;
using Distributed.Data;

namespace Distributed.Benchmarks;

/// <summary>
/// Packing a table whose text is ten times the memory that the process gets, with nothing of it in the file cache, beside packing and loading it
/// with all the memory there is. All end in the same hash.
/// </summary>
internal static class PackingBenchmark
{
    private const int Numbers = 20;
    private const int Words = 4;
    private const int Rows = 10_000_000;

    /// <param name="folder">Where there are 8 GB of room.</param>
    public static void Run(string folder)
    {
        var place = Directory.CreateDirectory(Path.Combine(folder, $"packing-{Guid.NewGuid():N}")).FullName;
        try
        {
            var (source, pack) = (Path.Combine(place, "table.csv"), Path.Combine(place, "pack"));
            Write(source);
            var bytes = new FileInfo(source).Length;
            Console.WriteLine(
                Text($"{Rows:N0} rows of {Numbers} numbers, {Words} words and a target: {bytes / 1e6:N0} MB of text; one run each")
            );
            Console.WriteLine();
            Console.WriteLine("| what | memory, MB | s | in no file, MB | read from disk, MB |");
            Console.WriteLine("|---|---|---|---|---|");
            const long unlimited = 1L << 46;
            var loaded = Measure("loaded, file in the cache", unlimited, ["data", "inspect", "--data", source]);
            Pack("packed, file in the cache", unlimited);
            MemoryLimit.DropFileCache();
            Pack("packed, cold", bytes / 10);
            if (!loaded.Contains(Dataset.Open(pack).Sha256, StringComparison.Ordinal))
                throw new InvalidOperationException($"packed as {Dataset.Open(pack).Sha256}, but loaded as: {loaded}");

            void Pack(string what, long memory)
            {
                if (Directory.Exists(pack))
                    Directory.Delete(pack, recursive: true);
                Measure(what, memory, ["data", "pack", source, pack]);
            }
        }
        finally
        {
            Directory.Delete(place, recursive: true);
        }
    }

    private static string Measure(string what, long memory, string[] arguments)
    {
        using var limit = new MemoryLimit(memory);
        var began = Stopwatch.GetTimestamp();
        var (read, output) = limit.Run(TrainingBenchmark.Coordinator, arguments);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var given = memory < 1L << 46 ? Text($"{memory / 1e6:N0}") : "all";
        Console.WriteLine(Text($"| {what} | {given} | {seconds:F1} | {limit.MostAnonymous / 1e6:N0} | {read / 1e6:N0} |"));
        return output;
    }

    private static void Write(string path)
    {
        using var file = new StreamWriter(path, append: false, new UTF8Encoding(false), 1 << 20) { NewLine = "\n" };
        file.WriteLine(string.Join(',', Enumerable.Range(0, Numbers + Words).Select(column => $"x{column}").Append("y")));
        var random = new System.Random(1);
        Span<char> row = stackalloc char[16 * (Numbers + Words + 1)];
        for (var i = 0; i < Rows; i++)
        {
            var length = 0;
            for (var column = 0; column <= Numbers + Words; column++)
            {
                var isWord = column >= Numbers && column < Numbers + Words;
                if (isWord)
                    row[length++] = 'w';
                var value = isWord ? random.Next(1000) : random.Next(1_000_000) / 1e5;
                value.TryFormat(row[length..], out var written, provider: CultureInfo.InvariantCulture);
                length += written;
                row[length++] = column < Numbers + Words ? ',' : '\n';
            }

            file.Write(row[..length]);
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
