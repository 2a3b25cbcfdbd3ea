using System.Globalization;
using System.Text.Json;

namespace Distributed.Benchmarks;

/// <summary>
/// What a second worker with one thread brings, each with a batch of the same size, on Fashion-MNIST: one worker, two over shared memory,
/// two over raw streams, and PyTorch's DistributedDataParallel with two ranks in turn, so that all see the same machine. Beside it, the
/// step of one replica on one core as a share of what the core's multiply-adds allow: it is easy to scale what is slow.
/// </summary>
internal static class ScalingBenchmark
{
    private const int Rounds = 5;
    private const int Workers = 2;
    private const int Seconds = 6;
    private const double SliceSeconds = 0.1;

    // Samples of a worker, and PyTorch's steps in a window of about a second.
    internal static readonly (string Name, int Batch, int PeerSteps)[] Presets =
    [
        ("mlp", 128, 100),
        ("mlp:2048,2048", 128, 20),
        ("cnn", 64, 20),
    ];

    /// <param name="models">What to measure; none for the presets.</param>
    public static void Run(string[] models)
    {
        Peer? peak = null;
        OneCore.Run(() => peak = Peer.OfC("fma_peak.c", []));
        Console.WriteLine(
            $"fashion-mnist, samples/s of training without its first two seconds; medians of {Rounds} interleaved rounds ± half the interquartile range."
        );
        Console.WriteLine(
            "of bound: what the step's multiply-adds take at the measured peak of one core over what one replica takes on it. coordinator: its share of a core with two workers."
        );
        Console.WriteLine();
        Console.WriteLine(
            "| model | batch | of bound | 1 worker | 2, shm | 2, tcp | DDP, 2 ranks | shm 2 / 1 | tcp 2 / 1 | shm / DDP | coordinator |"
        );
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (var (name, batch, peerSteps) in Presets.Where(preset => models is [] || models.Contains(preset.Name)))
            Compare(name, batch, peerSteps, peak);
        peak?.Dispose();
    }

    private static void Compare(string model, int batch, int peerSteps, Peer? peak)
    {
        using var step = TrainingStep.Of(model, batch, threads: 1)!;
        Measurement bound = new(),
            one = new(),
            shm = new(),
            tcp = new(),
            ddp = new(),
            coordinator = new();
        for (var round = 0; round < Rounds; round++)
        {
            OneCore.Run(() => MeasureBound(step, peak, bound));
            JsonElement[] memory = Results(TrainingBenchmark.Coordinator, model, batch, "1,2", "auto", Seconds),
                streams = Results(TrainingBenchmark.Coordinator, model, batch, "2", "tcp", Seconds);
            one.Add(Rate(memory[0]));
            shm.Add(Rate(memory[1]));
            tcp.Add(Rate(streams[0]));
            coordinator.Add(memory[1].GetProperty("coordinatorShare").GetDouble());
            if (File.Exists(Peer.Python))
                ddp.Add(TrainingBenchmark.PeerRate(model, peerSteps, Workers, batch));
        }

        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"| {model} | {batch} a worker | {bound.Median:P0} | {one.Median:N0} | {shm.Median:N0} | {tcp.Median:N0} | {ddp.Median:N0} | {shm.Over(one).AsRatio} | {tcp.Over(one).AsRatio} | {shm.Over(ddp).AsRatio} | {coordinator.Median:P1} |"
            )
        );
    }

    private static void MeasureBound(TrainingStep step, Peer? peak, Measurement bound)
    {
        if (peak is not null)
            bound.Add(peak.Seconds("") * step.MultiplyAdds / 1e9 / Measurement.Time(step.Run, SliceSeconds));
    }

    /// <summary>What a coordinator's <c>bench scaling</c> says, an object for each number of workers.</summary>
    internal static JsonElement[] Results(string coordinator, string model, int batch, string workers, string transport, int seconds) =>
        [
            .. TrainingBenchmark
                .Output(
                    coordinator,
                    [
                        "bench",
                        "scaling",
                        "--json",
                        "--data",
                        "fashion-mnist",
                        "--model",
                        model,
                        "--batch-per-worker",
                        batch.ToString(CultureInfo.InvariantCulture),
                        "--workers",
                        workers,
                        "--transport",
                        transport,
                        "--rounds",
                        "1",
                        "--seconds",
                        seconds.ToString(CultureInfo.InvariantCulture),
                    ]
                )
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonElement.Parse(line)),
        ];

    internal static double Rate(JsonElement result) => result.GetProperty("samplesPerSecond").GetDouble();
}
