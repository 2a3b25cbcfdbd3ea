using System.Text.Json;
using Distributed.Integration.Support;

namespace Distributed.Browser;

/// <summary>A coordinator that trains as everybody starts it, with its page on a free port.</summary>
internal sealed class WatchedRun : IAsyncDisposable
{
    private readonly RunningProcess _process;

    private WatchedRun(RunningProcess process, Uri address, int worker) => (_process, Address, Worker) = (process, address, worker);

    public int Id => _process.Id;

    /// <summary>Where its page is.</summary>
    public Uri Address { get; }

    /// <summary>The process of the worker that joined first.</summary>
    public int Worker { get; }

    /// <summary>Starts <c>coordinator train --json</c> with further options, and waits for its page.</summary>
    public static async Task<WatchedRun> TrainAsync(TempFolder folder, params IEnumerable<string> options)
    {
        var process = RunningProcess.Start(Executables.Coordinator, folder.Path, ["train", "--json", "--run", folder["run"], .. options]);
        try
        {
            var joined = await EventAsync(process, "workerJoined"); // the page comes after it
            var opened = await EventAsync(process, "dashboard");
            return new WatchedRun(process, new Uri(opened.GetProperty("address").GetString()!), joined.GetProperty("processId").GetInt32());
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public Task<Exit> ExitAsync() => _process.ExitAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static async Task<JsonElement> EventAsync(RunningProcess process, string kind)
    {
        using var deadline = new CancellationTokenSource(RunningProcess.Patience);
        await foreach (var line in process.Lines.ReadAllAsync(deadline.Token))
        {
            var told = JsonElement.Parse(line);
            if (told.GetProperty("event").GetString() == kind)
                return told;
        }

        throw new InvalidOperationException($"The coordinator ended before event {kind}; standard error:\n{process.ErrorsSoFar}");
    }
}
