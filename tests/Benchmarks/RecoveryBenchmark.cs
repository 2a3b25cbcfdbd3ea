using System.Diagnostics;
using System.Globalization;

namespace Distributed.Benchmarks;

/// <summary>
/// How long training stands still when something dies: <c>mlp</c> on Fashion-MNIST with three workers. From the signal to the report of the
/// first step after it; for a coordinator, from the start of the one that takes the run over.
/// </summary>
internal sealed class RecoveryBenchmark : IDisposable
{
    private const int Workers = 3;
    private const int StepsBetween = 200;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("recovery-").FullName;
    private readonly System.Random _random = new(1);

    /// <param name="rounds">How many workers are killed; a third as many are stopped, and as many coordinators killed.</param>
    public static void Run(int rounds)
    {
        using var benchmark = new RecoveryBenchmark();
        Measurement killed = new(),
            noticed = new(),
            joined = new(),
            stopped = new(),
            coordinators = new();
        using (var cluster = benchmark.Start("local", Workers))
        {
            for (var i = 0; i < rounds; i++)
                benchmark.Lose(cluster, () => cluster.Kill(benchmark._random), killed, noticed);
            for (var i = 0; i < rounds / 3; i++)
                benchmark.Lose(cluster, () => cluster.Pause(benchmark._random, TimeSpan.Zero, forGood: true), stopped, new Measurement());
            foreach (var change in cluster.Changed)
                joined.Add(change);
        }

        using (var cluster = benchmark.Start("joined", workers: 0))
        {
            for (var i = 0; i < rounds / 3; i++)
                Restart(cluster, coordinators);
        }

        Console.WriteLine("| what | median, s | half the interquartile range |");
        Console.WriteLine("|---|---|---|");
        Print($"worker killed ({rounds})", killed);
        Print("  its replacement joins: from the step before to the end of the step after", joined);
        Print("  of which after it was noticed", noticed);
        Print($"worker stopped ({rounds / 3})", stopped);
        Print($"coordinator killed, from the start of its successor ({rounds / 3})", coordinators);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Print(string what, Measurement seconds) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {seconds.Median:0.000} | {seconds.Spread:P0} |"));

    private DisturbedCluster Start(string name, int workers)
    {
        var token = Path.Combine(_folder, $"{name}.token");
        var cluster = new DisturbedCluster(
            [
                "train",
                "--json",
                "--data",
                "fashion-mnist",
                "--model",
                "mlp",
                "--batch-size",
                "256",
                "--steps",
                "10000000",
                "--checkpoint-every",
                "1000000",
                "--run",
                Path.Combine(_folder, name),
                "--workers",
                $"{workers}",
                "--min-workers",
                $"{Workers}",
                "--token-file",
                token,
            ],
            token
        );
        for (var i = workers; i < Workers; i++)
            cluster.Join();
        return cluster;
    }

    private void Lose(DisturbedCluster cluster, Func<int> lose, Measurement whole, Measurement noticed)
    {
        var before = cluster.Step;
        Await(() => cluster.Members == Workers && cluster.Step > before + StepsBetween, cluster);
        Thread.Sleep(_random.Next(500)); // anywhere between two reports
        var (known, began) = (cluster.Resumed.Count, Stopwatch.GetTimestamp());
        lose();
        Await(() => cluster.Resumed.Count > known, cluster);
        whole.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
        noticed.Add(cluster.Resumed.Last().Seconds);
    }

    private static void Restart(DisturbedCluster cluster, Measurement seconds)
    {
        var before = cluster.Step;
        Await(() => cluster.Step > before + StepsBetween, cluster);
        cluster.KillCoordinator();
        var (reached, began) = (cluster.Step, Stopwatch.GetTimestamp());
        Await(() => cluster.Step > reached, cluster);
        seconds.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    private static void Await(Func<bool> condition, DisturbedCluster cluster)
    {
        for (var began = Stopwatch.GetTimestamp(); !condition(); Thread.Sleep(2))
        {
            if (cluster.IsOver || Stopwatch.GetElapsedTime(began) > Patience)
                throw new InvalidOperationException($"The run stands still at step {cluster.Step}: {cluster.Lines}");
        }
    }
}
