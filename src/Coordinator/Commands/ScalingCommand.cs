using System.Globalization;
using Distributed.Cluster;
using Distributed.Collectives;
using Distributed.Coordinator.Benchmarks;
using Distributed.Coordinator.Benchmarks.Scaling;
using Distributed.Coordinator.Observers;
using Distributed.Coordinator.Options;
using Distributed.Coordinator.Runs;
using Distributed.Training;

namespace Distributed.Coordinator.Commands;

/// <summary><c>bench scaling</c>: what training gains from more workers on this machine, each with a batch of the same size.</summary>
/// <param name="console">Where to write.</param>
/// <param name="runs">The ways to train.</param>
internal sealed class ScalingCommand(CommandConsole console, TrainingRunFactory runs)
{
    private const int ExchangeSteps = 30;

    private readonly HashSet<string> _warnings = [];

    /// <summary>Measures every number of workers in turn, round by round, and writes a line for each.</summary>
    /// <param name="settings">Settings without errors.</param>
    /// <returns>The process's exit code.</returns>
    /// <exception cref="InputException">What the settings name is not right; nothing has been written.</exception>
    /// <exception cref="RunFailedException">A run could not go on.</exception>
    internal async Task<int> RunAsync(ScalingSettings settings)
    {
        using var interrupt = new InterruptSignal();
        var prepared = RunPreparation.Load(settings.Training(settings.Workers[0]));
        var cases = settings.Workers.Select(workers => Case(settings, prepared, workers)).ToList();
        using var temporary = new TemporaryRuns("scaling-", "every run");
        WriteHead(settings, cases);
        for (var round = 0; round < settings.Rounds; round++)
        {
            foreach (var one in cases)
            {
                if (await MeasureAsync(settings, one, temporary.Next(), interrupt.Token) is not { } sample)
                    return interrupt.ExitCode;
                one.Samples.Add(sample);
            }
        }

        foreach (var one in cases)
            WriteLine(settings, one, cases[0], await ExchangeAsync(settings, one));
        return ExitCodes.Done;
    }

    private static ScalingCase Case(ScalingSettings settings, RunPreparation prepared, int workers)
    {
        var own = prepared with
        {
            Configuration = prepared.Configuration with
            {
                Options = prepared.Configuration.Options with { BatchSize = settings.Training(workers).BatchSize },
            },
        };
        return new ScalingCase(workers, own, ScalingPlan.Of(own, workers), []);
    }

    /// <summary>Trains as <c>train</c> does, and stops when enough has been measured; null if the run was interrupted.</summary>
    private async Task<ScalingSample?> MeasureAsync(ScalingSettings settings, ScalingCase one, string path, CancellationToken interrupt)
    {
        var probe = new TrainingProbe(
            TimeSpan.FromSeconds(settings.WarmUp),
            TimeSpan.FromSeconds(settings.Seconds),
            console.Time,
            () => Environment.CpuUsage.TotalTime,
            Warn
        );
        var (configuration, dataset, network) = (one.Prepared.Configuration, one.Prepared.Dataset, one.Prepared.Network);
        using var folder = RunFolder.Create(path, configuration, network.Layout);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(interrupt);
        var request = new RunRequest(configuration, dataset, network, settings.Cluster(one.Workers), folder, one.Prepared.InitialState());
        await using var observers = RunObservers.Of(folder, console.Error, probe);
        var run = runs.Create(request.Cluster).RunAsync(request, observers, stop.Token);
        var watch = probe.WatchMemoryAsync(run);
        if (await Task.WhenAny(run, probe.Measured) != run)
            await stop.CancelAsync();
        await run;
        await watch;
        return interrupt.IsCancellationRequested ? null : probe.Sample;
    }

    private static async Task<AllReduceTimings?> ExchangeAsync(ScalingSettings settings, ScalingCase one)
    {
        if (one.Workers == 1)
            return null;
        await using var workers = await AllReduceWorkers.StartAsync(one.Workers);
        return await workers.TimeAsync(AsInTraining(settings.Transport), one.Prepared.Network.Layout.Length, ExchangeSteps, inPlace: false);
    }

    // Inside a host, training's streams are Unix sockets.
    private static BenchTransport AsInTraining(Transport transport) =>
        transport switch
        {
            Transport.Shm => BenchTransport.Shm,
            Transport.Tcp => BenchTransport.Unix,
            Transport.Grpc => BenchTransport.Grpc,
            _ => BenchTransport.Auto,
        };

    private void WriteHead(ScalingSettings settings, IReadOnlyList<ScalingCase> cases)
    {
        int cores = Environment.ProcessorCount,
            most = settings.Workers.Max();
        if ((long)most * settings.Threads > cores)
        {
            Warn(
                new RunWarning(
                    $"{most} workers x {settings.Threads} threads share {cores} cores, so the ratios say what the cores allow; "
                        + $"use --workers {Math.Max(1, cores / settings.Threads)} at most"
                )
            );
        }

        if (settings.Json)
            return;
        console.Output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"weak scaling of {settings.Model} on {cases[0].Prepared.Dataset.Name}: for each worker {settings.BatchPerWorker} samples a step, threads: {settings.Threads}; cores: {cores}"
            )
        );
        console.Output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"medians of {settings.Rounds} interleaved rounds of {settings.Seconds} s after {settings.WarmUp} s to warm up, half the distance between the quartiles; ratios to the first line"
            )
        );
        console.Output.WriteLine(
            "MiB a step: by a worker to others, as planned; all-reduce: of as many bytes without training; "
                + "copy: of as many bytes in memory, by every worker at once"
        );
        console.Output.WriteLine(
            "coordinator: its processor time, of a core; resident: the most memory of a worker; "
                + "accounted: weights, gradient, optimizer state, activations, spare state"
        );
        console.Output.WriteLine(ScalingResult.Head);
    }

    private void WriteLine(ScalingSettings settings, ScalingCase one, ScalingCase first, AllReduceTimings? exchange)
    {
        var ideal = Ideal(one) / Ideal(first);
        var result = ScalingResult.Of(one.Workers, one.Samples, first.Samples, one.Plan, ideal, exchange);
        console.Output.WriteLine(settings.Json ? StrictJson.Serialize(result) : result.Text());

        double Ideal(ScalingCase of) => ScalingPlan.Ideal(of.Workers, settings.Threads, Environment.ProcessorCount);
    }

    /// <summary>Every round gives the same warnings; each is written once.</summary>
    private void Warn(RunWarning warning)
    {
        if (_warnings.Add(warning.Message))
            console.Error.WriteLine(RunText.Warning(warning));
    }

    private sealed record ScalingCase(int Workers, RunPreparation Prepared, ScalingPlan Plan, List<ScalingSample> Samples);
}
