using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Hosting;
using Distributed.Coordinator.Options;
using Distributed.Protocol;

namespace Distributed.Coordinator.Benchmarks;

/// <summary>Worker processes that reduce vectors together and time it. They end with this process, since they read from its pipe.</summary>
internal sealed class AllReduceWorkers : IAsyncDisposable
{
    /// <summary>How long a worker may take for an answer; it is slow, but its end is not noticed on another machine.</summary>
    private static readonly TimeSpan AnswerTime = TimeSpan.FromMinutes(10);

    /// <summary>How long a worker may take to end once nothing more is asked of it.</summary>
    private static readonly TimeSpan EndingTime = TimeSpan.FromSeconds(10);

    private readonly List<Process> _processes = [];
    private readonly List<Task<string>> _errors = [];

    private AllReduceWorkers() { }

    /// <summary>Starts workers on this machine.</summary>
    /// <param name="count">How many.</param>
    /// <exception cref="RunFailedException">One does not start.</exception>
    public static Task<AllReduceWorkers> StartAsync(int count) =>
        StartAsync(Enumerable.Range(0, count).Select(rank => WorkerExecutable.StartInfo(Arguments(rank), token: null)));

    /// <summary>Starts a worker on each of several machines.</summary>
    /// <param name="machines">Their names, by which they reach each other.</param>
    /// <param name="launcher">A command with its first arguments that runs the rest on a machine.</param>
    /// <exception cref="RunFailedException">One does not start.</exception>
    public static Task<AllReduceWorkers> StartAsync(IReadOnlyList<string> machines, IReadOnlyList<string> launcher) =>
        StartAsync(
            machines.Select(
                (machine, rank) => WorkerExecutable.StartInfo(launcher, machine, [.. Arguments(rank), "--listen", $"http://{machine}:0"])
            )
        );

    // Each gets the token, which must not appear in arguments, and then all addresses.
    private static async Task<AllReduceWorkers> StartAsync(IEnumerable<ProcessStartInfo> starts)
    {
        var workers = new AllReduceWorkers();
        try
        {
            foreach (var start in starts)
                workers.Start(start);
            await workers.AskAsync(RunToken.Create().Reveal());
            var addresses = await workers.AnswersAsync();
            await workers.AskAsync(string.Join(' ', addresses));
            return workers;
        }
        catch
        {
            await workers.DisposeAsync();
            throw;
        }
    }

    /// <summary>Times the all-reduce of one vector.</summary>
    /// <param name="transport">How it is to travel.</param>
    /// <param name="length">Its length in elements.</param>
    /// <param name="steps">How often.</param>
    /// <param name="inPlace">Whether vector and sum stay in the exchange's memory, as in training.</param>
    /// <returns>The timings of the first worker: none can be ahead of the others by more than a part of a step.</returns>
    /// <exception cref="RunFailedException">A worker has failed.</exception>
    public async Task<AllReduceTimings> TimeAsync(BenchTransport transport, int length, int steps, bool inPlace)
    {
        await AskAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{transport.ToString().ToLowerInvariant()} {length} {steps}{(inPlace ? $" {AllReduceTimings.InPlace}" : "")}"
            )
        );
        var answers = await AnswersAsync();
        return JsonSerializer.Deserialize<AllReduceTimings>(answers[0])!;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.StandardInput.Close();
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(EndingTime));
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            process.Dispose();
        }
    }

    private static string[] Arguments(int rank) => ["bench-member", "--rank", rank.ToString(CultureInfo.InvariantCulture)];

    private void Start(ProcessStartInfo start)
    {
        var process = WorkerExecutable.Launch(start);
        _processes.Add(process);
        _errors.Add(process.StandardError.ReadToEndAsync());
    }

    private async Task AskAsync(string line)
    {
        foreach (var process in _processes)
        {
            await process.StandardInput.WriteLineAsync(line);
            await process.StandardInput.FlushAsync();
        }
    }

    private async Task<IReadOnlyList<string>> AnswersAsync()
    {
        var answers = new List<string>();
        for (var rank = 0; rank < _processes.Count; rank++)
        {
            answers.Add(
                await LineAsync(rank) ?? throw new RunFailedException($"worker {rank + 1} has failed: {LastLine(await _errors[rank])}")
            );
        }

        return answers;
    }

    private async Task<string?> LineAsync(int rank)
    {
        try
        {
            return await _processes[rank].StandardOutput.ReadLineAsync().WaitAsync(AnswerTime);
        }
        catch (TimeoutException exception)
        {
            throw new RunFailedException($"worker {rank + 1} has not answered within {AnswerTime.TotalMinutes:0} minutes", exception);
        }
    }

    private static string LastLine(string text) =>
        text.Split('\n', StringSplitOptions.TrimEntries).LastOrDefault(ErrorOutput.IsMessage, "it said nothing");
}
