using System.Globalization;
using System.Text;
using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>
/// Writes every change of membership to <c>membership.jsonl</c>: who, when, why, and how long training stood still. Nothing depends on the
/// file, so that one that cannot be written stops nothing; its lines wait in memory.
/// </summary>
/// <param name="path">The file; created by the first line.</param>
/// <param name="time">The clock.</param>
/// <param name="run">Receives the warnings.</param>
internal sealed class MembershipObserver(string path, TimeProvider time, IRunObserver run) : IRunObserver, IAsyncDisposable
{
    private readonly LineFile _lines = new(path);
    private readonly WriteFailures _failures = new(run);

    /// <inheritdoc/>
    public string Name => System.IO.Path.GetFileName(path);

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (
            runEvent
            is not (WorkerJoined or WorkerLeft or WorkerLost or TrainingResumed or WentBack or RolledBack or RunStarted { Workers: > 0 })
        )
        {
            return;
        }

        var line = StrictJson.Serialize(runEvent);
        var when = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        _lines.Append(Encoding.UTF8.GetBytes($"{{\"time\":\"{when}\",{line[1..]}\n"));
        _failures.Tell(path, _lines.Failure);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _lines.Dispose();
        return ValueTask.CompletedTask;
    }
}
