using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Distributed.Benchmarks;

/// <summary>
/// The all-reduce of worker processes over shared memory, over Unix sockets and over TCP, beside MPI in shared memory and Gloo over TCP,
/// both TCPs over loopback. They run in turn, several rounds over, so that all see the same machine.
/// </summary>
internal sealed class AllReduceBenchmark
{
    private const int Rounds = 5;

    private static readonly string[] Sizes = ["2.7", "16", "64"];

    private readonly int _workers;
    private readonly string? _mpi = CompileMpi();

    private AllReduceBenchmark(int workers) => _workers = workers;

    public static void Run(int workers)
    {
        var benchmark = new AllReduceBenchmark(workers);
        var series = new Dictionary<string, Measurement[]>();
        for (var round = 0; round < Rounds; round++)
        {
            benchmark.Add(series, "MPI", benchmark.MpiSeconds());
            benchmark.Add(series, "shm", benchmark.OurSeconds("shm"));
            benchmark.Add(series, "Gloo", benchmark.GlooSeconds());
            benchmark.Add(series, "tcp", benchmark.OurSeconds("tcp"));
            benchmark.Add(series, "tcp in place", benchmark.OurSeconds("tcp", "--in-place"));
            benchmark.Add(series, "unix", benchmark.OurSeconds("unix"));
        }

        if (benchmark._mpi is not null)
            File.Delete(benchmark._mpi);
        Print(series, workers);
    }

    private static void Print(Dictionary<string, Measurement[]> series, int workers)
    {
        Console.WriteLine(
            $"all-reduce, {workers} processes, ordinary memory to ordinary memory, Gloo in place, ms: medians of {Rounds} rounds of 50 calls, and of the ratios round by round"
        );
        Console.WriteLine("| MiB | shm | MPI | shm / MPI | unix | tcp | Gloo | tcp / Gloo | tcp in place | tcp in place / Gloo |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        for (var size = 0; size < Sizes.Length; size++)
        {
            Measurement shm = series["shm"][size],
                mpi = series["MPI"][size],
                unix = series["unix"][size],
                tcp = series["tcp"][size],
                inPlace = series["tcp in place"][size],
                gloo = series["Gloo"][size];
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {Sizes[size]} | {shm.Median * 1e3:F3} | {mpi.Median * 1e3:F3} | {shm.Over(mpi).AsRatio} | {unix.Median * 1e3:F3} | {tcp.Median * 1e3:F3} | {gloo.Median * 1e3:F3} | {tcp.Over(gloo).AsRatio} | {inPlace.Median * 1e3:F3} | {inPlace.Over(gloo).AsRatio} |"
                )
            );
        }
    }

    private void Add(Dictionary<string, Measurement[]> series, string name, IEnumerable<double> seconds)
    {
        if (!series.TryGetValue(name, out var sizes))
            series.Add(name, sizes = [.. Sizes.Select(_ => new Measurement())]);
        foreach ((var size, var value) in sizes.Zip(seconds))
            size.Add(value);
    }

    private IEnumerable<double> OurSeconds(string transport, params string[] options) =>
        Lines(
                TrainingBenchmark.Coordinator,
                [
                    "bench",
                    "allreduce",
                    "--json",
                    "--workers",
                    Text(_workers),
                    "--transport",
                    transport,
                    "--sizes",
                    string.Join(',', Sizes),
                    .. options,
                ]
            )
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("milliseconds").GetDouble() / 1e3);

    private IEnumerable<double> MpiSeconds() =>
        _mpi is null ? [] : Seconds("mpirun", ["--allow-run-as-root", "-n", Text(_workers), _mpi, .. Sizes]);

    private IEnumerable<double> GlooSeconds() =>
        File.Exists(Peer.Python) ? Seconds(Peer.Python, [Peer.Source("gloo_allreduce.py"), Text(_workers), .. Sizes]) : [];

    private static IEnumerable<double> Seconds(string program, IEnumerable<string> arguments) =>
        Lines(program, arguments).Select(line => double.Parse(line, CultureInfo.InvariantCulture));

    private static string[] Lines(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true }
        )!;
        process.StandardInput.Close(); // mpirun stops where it may not read from a terminal
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            : throw new InvalidOperationException($"{program} ended with exit code {process.ExitCode}");
    }

    /// <summary>The path of the program, or null, with the reason on standard error, where there is no MPI.</summary>
    private static string? CompileMpi()
    {
        var program = Path.GetTempFileName();
        try
        {
            using var compiler = Process.Start("mpicc", ["-O3", "-march=native", "-o", program, Peer.Source("mpi_allreduce.c")]);
            compiler.WaitForExit();
            return compiler.ExitCode == 0 ? program : null;
        }
        catch (Win32Exception exception)
        {
            Console.Error.WriteLine($"MPI is left out: {exception.Message} (openmpi-bin, libopenmpi-dev)");
            File.Delete(program);
            return null;
        }
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
