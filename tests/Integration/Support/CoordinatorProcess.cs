using System.Text.Json;
using System.Text.RegularExpressions;

namespace Distributed.Integration.Support;

/// <summary>A worker as the coordinator announced it.</summary>
/// <param name="Name">As in <c>worker 2</c>.</param>
/// <param name="ProcessId">Its process.</param>
/// <param name="Address">Where its peers reach it.</param>
internal sealed record JoinedWorker(string Name, int ProcessId, string Address);

/// <summary>A coordinator that trains and tells its progress as JSON events, which tests wait for.</summary>
internal sealed partial class CoordinatorProcess : IAsyncDisposable
{
    private readonly RunningProcess _process;

    private CoordinatorProcess(RunningProcess process) => _process = process;

    public int Id => _process.Id;

    /// <summary>Starts <c>coordinator train --json</c> with further options in a folder.</summary>
    public static CoordinatorProcess Train(TempFolder folder, params IEnumerable<string> options) =>
        Train(folder, Enumerable.Empty<(string, string)>(), options);

    /// <summary>The same with variables of the environment, which its local workers inherit.</summary>
    public static CoordinatorProcess Train(
        TempFolder folder,
        IEnumerable<(string Name, string Value)> variables,
        params IEnumerable<string> options
    ) => new(RunningProcess.Start(Executables.Coordinator, folder.Path, ["train", "--json", .. options], environment: variables));

    /// <summary>Trains <see cref="Problem.OddSizes"/> in <c>run</c>, with further options.</summary>
    public static CoordinatorProcess TrainOddSizes(TempFolder folder, params IEnumerable<string> options) =>
        TrainOddSizes(folder, Enumerable.Empty<(string, string)>(), options);

    /// <summary>The same with variables of the environment, which its local workers inherit.</summary>
    public static CoordinatorProcess TrainOddSizes(
        TempFolder folder,
        IEnumerable<(string Name, string Value)> variables,
        params IEnumerable<string> options
    ) => Train(folder, variables, [.. Problem.OddSizes.WriteTo(folder), "--run", folder["run"], .. options]);

    /// <summary>
    /// Trains <see cref="Problem.OddSizes"/> in <c>run</c> with local workers and others, which join with the token in <c>token</c>.
    /// </summary>
    /// <param name="folder">Where.</param>
    /// <param name="workers">Local workers.</param>
    /// <param name="minimum">Workers that the first step waits for.</param>
    /// <param name="options">Further options.</param>
    public static CoordinatorProcess Open(TempFolder folder, int workers, int minimum, params IEnumerable<string> options) =>
        TrainOddSizes(
            folder,
            [
                "--workers",
                $"{workers}",
                "--min-workers",
                $"{minimum}",
                "--listen",
                "http://127.0.0.1:0",
                "--token-file",
                folder["token"],
                .. options,
            ]
        );

    /// <summary>The next event of a kind for which a condition holds; others are passed over.</summary>
    public async Task<JsonElement> EventAsync(string kind, Func<JsonElement, bool>? condition = null)
    {
        using var deadline = new CancellationTokenSource(RunningProcess.Patience);
        try
        {
            await foreach (var line in _process.Lines.ReadAllAsync(deadline.Token))
            {
                var told = JsonElement.Parse(line);
                if (told.GetProperty("event").GetString() == kind && condition?.Invoke(told) != false)
                    return told;
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"No event {kind} came; standard error:\n{_process.ErrorsSoFar}");
        }

        await _process.ExitAsync();
        throw new InvalidOperationException($"The coordinator ended before event {kind}; standard error:\n{_process.ErrorsSoFar}");
    }

    /// <summary>Waits until a number of steps after the last event are complete.</summary>
    /// <returns>The last of them.</returns>
    public async Task<long> StepsAsync(int count)
    {
        var step = 0L;
        for (var i = 0; i < count; i++)
            step = (await EventAsync("stepCompleted")).GetProperty("step").GetInt64();
        return step;
    }

    /// <summary>The next workers that join.</summary>
    public async Task<IReadOnlyList<JoinedWorker>> JoinedAsync(int count)
    {
        var workers = new List<JoinedWorker>();
        while (workers.Count < count)
        {
            var told = await EventAsync("workerJoined");
            var name = WorkerName().Match(told.GetProperty("worker").GetString()!);
            workers.Add(
                new(name.Groups["name"].Value, int.Parse(name.Groups["process"].ValueSpan), told.GetProperty("address").GetString()!)
            );
        }

        return workers;
    }

    /// <summary>Where workers can join.</summary>
    public async Task<string> ListeningAsync() => (await EventAsync("listening")).GetProperty("address").GetString()!;

    /// <summary>The step after which an interrupted run stopped.</summary>
    public async Task<long> InterruptedAsync() => (await EventAsync("runInterrupted")).GetProperty("step").GetInt64();

    public Task<Exit> ExitAsync() => _process.ExitAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    [GeneratedRegex(@"^(?<name>worker \d+) \(.+, process (?<process>\d+)\)$")]
    private static partial Regex WorkerName();
}
