using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>
/// Writes which samples every step was trained on to <c>ledger.jsonl</c>, for those who want to see that each was used exactly once in an
/// epoch. Nothing depends on the file; lines that cannot be written wait in memory.
/// </summary>
/// <param name="ledger">The file.</param>
/// <param name="run">Receives the warnings.</param>
internal sealed class LedgerObserver(LedgerLog ledger, IRunObserver run) : IRunObserver
{
    private readonly WriteFailures _failures = new(run);

    /// <inheritdoc/>
    public string Name => LedgerLog.FileName;

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (runEvent is RolledBack back)
            ledger.Truncate(back.Step);
        if (runEvent is not SamplesUsed used)
            return;
        ledger.Append(used);
        _failures.Tell(ledger.Path, ledger.Failure);
    }
}
