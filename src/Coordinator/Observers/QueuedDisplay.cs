using Distributed.Coordinator.Runs;
using Distributed.Hosting;

namespace Distributed.Coordinator.Observers;

/// <summary>A display whose output goes through a queue, so that the run never waits for those who read it.</summary>
/// <param name="display">The display.</param>
/// <param name="output">What it writes to; completed with it.</param>
internal sealed class QueuedDisplay(IRunObserver display, QueuedWriter output) : IRunObserver, IAsyncDisposable
{
    /// <summary>How long what was shown last may take to be taken.</summary>
    private static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public string Name => display.Name;

    /// <inheritdoc/>
    public void Report(RunEvent runEvent) => display.Report(runEvent);

    /// <inheritdoc/>
    public ValueTask SettleAsync(bool complete) => display.SettleAsync(complete);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (display is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
        await output.CompleteAsync(ClosingTime);
    }
}
