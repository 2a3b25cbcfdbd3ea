namespace Distributed.Coordinator.Runs;

/// <summary>
/// Is told what happens in a run: a display, a file, a page. Observers do not know of each other; see the recipe in CONTRIBUTING.md. One
/// that is <see cref="IAsyncDisposable"/> is disposed of once, also after a run that has failed.
/// </summary>
internal interface IRunObserver
{
    /// <summary>What a warning calls the observer after it has failed.</summary>
    string Name => GetType().Name;

    /// <summary>
    /// Takes an event. Calls come one at a time, in the order of the steps; the run waits for them, so that they are quick.
    /// </summary>
    void Report(RunEvent runEvent);

    /// <summary>
    /// Is called between steps, and at the end of the training. What takes longer begins here, and is waited for at the end alone.
    /// </summary>
    /// <param name="complete">Whether the training has ended, so that nothing may be left for later.</param>
    ValueTask SettleAsync(bool complete) => ValueTask.CompletedTask;
}
