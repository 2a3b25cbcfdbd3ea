using System.Globalization;
using System.Text.Json;

namespace Distributed.Benchmarks;

/// <summary>
/// Trains for some minutes while workers and coordinators are killed, stopped, continued, told to leave, and started, at random by a seed,
/// every second or two; with a network of three hosts, they are cut off from each other, too. Every run must end in the weights and metrics
/// of the same run in one process that nothing disturbs, and its ledger must show each sample of each epoch used exactly once.
/// </summary>
internal sealed class SoakBenchmark : IDisposable
{
    private const int Rows = 12_000;
    private const int TrainingRows = Rows / 5 * 4; // every fifth is a test sample
    private const int Features = 24;
    private const int Steps = 6_000;
    private const int LocalWorkers = 2;
    private static readonly TimeSpan ShortPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MostOfRun = TimeSpan.FromMinutes(10);

    private static readonly (string Exchange, string Transport)[] Ways =
    [
        ("peers", "auto"),
        ("peers", "tcp"),
        ("coordinator", "auto"),
        ("peers", "grpc"),
        ("coordinator", "tcp"),
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("soak-").FullName;
    private readonly System.Random _random;
    private readonly Measurement _killed = new();
    private readonly Measurement _silent = new();
    private readonly SortedDictionary<string, int> _done = [];
    private string _hash = "";
    private string[] _metrics = [];
    private int _used;
    private int _unreported;
    private bool _isKept;
    private readonly TestNetwork? _network;

    private SoakBenchmark(int seed) => (_random, _network) = (new System.Random(seed), TestNetwork.Create());

    /// <summary>Runs until the time is over and the run under way has ended.</summary>
    /// <param name="minutes">How long.</param>
    /// <param name="seed">Decides what is done when; the machine decides in which step that is.</param>
    /// <returns>The exit code: 0 if every run ended in the same bits.</returns>
    public static int Run(double minutes, int seed)
    {
        using var soak = new SoakBenchmark(seed);
        return soak.Run(TimeSpan.FromMinutes(minutes), seed);
    }

    public void Dispose()
    {
        _network?.Dispose();
        if (!_isKept)
            Directory.Delete(_folder, recursive: true);
    }

    private int Run(TimeSpan time, int seed)
    {
        WriteData();
        Reference();
        var (runs, wrong, until) = (0, 0, DateTime.UtcNow + time);
        while (DateTime.UtcNow < until)
        {
            var way = Ways[runs % Ways.Length];
            var finding = Disturbed(++runs, way.Exchange, way.Transport);
            wrong += finding.Length > 0 ? 1 : 0;
            Console.WriteLine(
                $"run {runs}: {way.Exchange}, {way.Transport}: {(finding.Length > 0 ? "WRONG: " + finding : "same bits, same metrics")}"
            );
        }

        _isKept = wrong > 0;
        if (_isKept)
            Console.WriteLine($"what went wrong is kept in {_folder}: run-N is a run's folder, run-N.txt what its processes have said");

        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"seed {seed}: {runs} runs of {Steps} steps, {runs - wrong} with the same bits; {string.Join(", ", _done.Select(done => $"{done.Value} {done.Key}"))}"
            )
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{_used} samples in the ledgers of the disturbed runs, each used once in its epoch; {_unreported} of them known by the checksum of their step alone"
            )
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"from the notice of a loss to the end of the next step, s: killed {_killed.Median:0.000} ± {_killed.Spread:P0}, silent {_silent.Median:0.000} ± {_silent.Spread:P0} (and {LongPause.TotalSeconds:0} s of silence before some)"
            )
        );
        return wrong == 0 ? 0 : 1;
    }

    private void WriteData()
    {
        var random = new System.Random(1);
        var rows = Enumerable
            .Range(0, Rows)
            .Select(_ =>
            {
                var values = Enumerable.Range(0, Features).Select(_ => random.NextSingle()).ToArray();
                return string.Join(',', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)))
                    + $",{(int)(values[0] * 3) + (3 * (int)(values[1] * 3))}";
            });
        File.WriteAllLines(Path.Combine(_folder, "data.csv"), rows);
    }

    private string[] Options(string run) =>
        [
            "train",
            "--json",
            "--data",
            Path.Combine(_folder, "data.csv"),
            "--model",
            "mlp:256,256",
            "--batch-size",
            "256",
            "--steps",
            Steps.ToString(CultureInfo.InvariantCulture),
            "--eval-every",
            "1000",
            "--checkpoint-every",
            "500",
            "--ledger",
            "--run",
            run,
        ];

    private void Reference()
    {
        var run = Path.Combine(_folder, "reference");
        TrainingBenchmark.Output(TrainingBenchmark.Coordinator, [.. Options(run), "--workers", "0"]);
        (_hash, _metrics) = Result(run);
        Console.WriteLine($"undisturbed, in one process: {_hash}");
    }

    private static (string Hash, string[] Metrics) Result(string run)
    {
        using var summary = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "summary.json")));
        return (summary.RootElement.GetProperty("weightsSha256").GetString()!, File.ReadAllLines(Path.Combine(run, "metrics.jsonl")));
    }

    // What was wrong; empty if nothing was. Only then is the run's folder deleted.
    private string Disturbed(int number, string exchange, string transport)
    {
        var run = Path.Combine(_folder, $"run-{number}");
        var token = Path.Combine(_folder, $"token-{number}");
        using var cluster = new DisturbedCluster(
            [.. Options(run), "--exchange", exchange, "--transport", transport, "--workers", $"{LocalWorkers}", "--token-file", token],
            token,
            _network
        );
        var finding = Outcome(cluster, run);
        if (finding.Length == 0)
            Directory.Delete(run, recursive: true);
        else
            File.WriteAllText(run + ".txt", cluster.Lines);
        return finding;
    }

    private string Outcome(DisturbedCluster cluster, string run)
    {
        var began = DateTime.UtcNow;
        while (!cluster.IsOver)
        {
            if (DateTime.UtcNow - began > MostOfRun)
                return $"not over after {MostOfRun.TotalMinutes:0} minutes, at step {cluster.Step}";
            Thread.Sleep(1000 + _random.Next(1000));
            Disturb(cluster);
        }

        cluster.Resumed.Where(resumed => resumed.WasSilent).ToList().ForEach(resumed => _silent.Add(resumed.Seconds));
        cluster.Resumed.Where(resumed => !resumed.WasSilent).ToList().ForEach(resumed => _killed.Add(resumed.Seconds));
        Count("lost workers reported", cluster.LostWorkers);
        if (cluster.ExitCode != 0)
            return $"exit code {cluster.ExitCode} at step {cluster.Step}";
        var (hash, metrics) = Result(run);
        if (hash != _hash)
            return $"weights {hash}";
        var differing = metrics.Zip(_metrics).TakeWhile(pair => pair.First == pair.Second).Count();
        if (differing < _metrics.Length || metrics.Length != _metrics.Length)
            return $"metrics differ from line {differing + 1} on";
        return CheckLedger(run);
    }

    // Every step is there once, and every sample once in an epoch; all of them in an epoch that is complete.
    private string CheckLedger(string run)
    {
        var lines = File.ReadLines(Path.Combine(run, "ledger.jsonl"))
            .Select(line => JsonSerializer.Deserialize<LedgerLine>(line, JsonSerializerOptions.Web)!)
            .ToList();
        if (!lines.Select(line => line.Step).SequenceEqual(Enumerable.Range(1, Steps).Select(step => (long)step)))
            return "the ledger does not hold every step once";
        foreach (var epoch in lines.GroupBy(line => line.Epoch))
        {
            var samples = epoch.SelectMany(line => line.Samples.Concat(line.Unreported)).Order().ToList();
            var isLast = epoch.Key == lines[^1].Epoch;
            if (samples.Distinct().Count() != samples.Count || (!isLast && !samples.SequenceEqual(Enumerable.Range(0, TrainingRows))))
                return $"epoch {epoch.Key} does not use each sample once";
        }

        _used += lines.Sum(line => line.Samples.Length + line.Unreported.Length);
        _unreported += lines.Sum(line => line.Unreported.Length);
        return "";
    }

    private void Disturb(DisturbedCluster cluster)
    {
        var action = _random.Next(100);
        if (_network is not null && action % 5 == 0)
            Count("partitions", _network.Part(_random));
        else if (action < 40)
            Count("workers killed", cluster.Kill(_random));
        else if (action < 50)
            Count("pairs of workers killed at once", cluster.Kill(_random) + cluster.Kill(_random) > 1 ? 1 : 0);
        else if (action < 60)
            Count("short pauses", cluster.Pause(_random, ShortPause));
        else if (action < 70)
            Count("long pauses", cluster.Pause(_random, LongPause));
        else if (action < 85)
            Count("workers started", cluster.Join());
        else if (action < 92)
            Count("workers told to leave", cluster.Leave(_random));
        else
            Count("coordinators killed", cluster.KillCoordinator());
    }

    private sealed record LedgerLine(long Step, long Epoch, int[] Samples, int[] Unreported);

    private void Count(string what, int times) => _done[what] = _done.GetValueOrDefault(what) + times;
}
