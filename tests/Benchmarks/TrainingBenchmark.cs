using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace Distributed.Benchmarks;

/// <summary>
/// Whole training runs on Fashion-MNIST beside PyTorch's DistributedDataParallel over Gloo: processes, gradients exchanged
/// over loopback, one thread each. The runs alternate, so that both see the same machine.
/// </summary>
internal static class TrainingBenchmark
{
    private const int Rounds = 5;
    private const int BatchSize = 256;

    /// <summary>The coordinator's executable.</summary>
    internal static readonly string Coordinator = typeof(TrainingBenchmark)
        .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == nameof(Coordinator))
        .Value!;

    // Epochs of ours and steps in a window of theirs: some ten seconds each.
    private static readonly (string Name, int Epochs, int PeerSteps)[] Models = [("mlp", 4, 100), ("mlp:2048,2048", 1, 20)];

    public static void Run(int workers)
    {
        Console.WriteLine(
            $"fashion-mnist, batch {BatchSize}, {workers} workers x 1 thread, samples/s: medians of {Rounds} alternating runs, half the distance between the quartiles"
        );
        Console.WriteLine($"{"model", -16}{"ours", 10}{"spread", 8}{"PyTorch DDP", 14}{"spread", 8}{"ratio", 8}");
        foreach (var (model, epochs, peerSteps) in Models)
            Compare(model, epochs, peerSteps, workers);
    }

    private static void Compare(string model, int epochs, int peerSteps, int workers)
    {
        var ours = new Measurement();
        var theirs = new Measurement();
        for (var round = 0; round < Rounds; round++)
        {
            theirs.Add(PeerRate(model, peerSteps, workers, BatchSize / workers));
            ours.Add(OurRate(model, epochs, workers));
        }

        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{model, -16}{ours.Median, 10:N0}{ours.Spread, 8:P0}{theirs.Median, 14:N0}{theirs.Spread, 8:P0}{ours.Median / theirs.Median, 8:F2}"
            )
        );
    }

    private static double OurRate(string model, int epochs, int workers)
    {
        var folder = Path.Combine(Path.GetTempPath(), $"distributed-benchmark-{Guid.NewGuid():N}");
        string[] arguments =
        [
            "train",
            "--data",
            "fashion-mnist",
            "--model",
            model,
            "--batch-size",
            Text(BatchSize),
            "--epochs",
            Text(epochs),
            "--workers",
            Text(workers),
            "--threads",
            "1",
            "--run",
            folder,
            "--quiet",
        ];
        try
        {
            Output(Coordinator, arguments);
            using var summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "summary.json")));
            return summary.RootElement.GetProperty("samplesPerSecond").GetDouble();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Samples per second of PyTorch's ranks.</summary>
    /// <param name="model">A preset.</param>
    /// <param name="steps">Steps of a window, of which it takes six.</param>
    /// <param name="ranks">How many processes.</param>
    /// <param name="batch">Samples of a step for each of them.</param>
    internal static double PeerRate(string model, int steps, int ranks, int batch) =>
        double.Parse(
            Output(Peer.Python, [Peer.Source("pytorch_ddp.py"), model, Text(ranks), Text(batch), Text(steps)]),
            CultureInfo.InvariantCulture
        );

    /// <summary>What a program writes to standard output.</summary>
    /// <exception cref="InvalidOperationException">It fails.</exception>
    internal static string Output(string program, IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} ended with exit code {process.ExitCode}");
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
