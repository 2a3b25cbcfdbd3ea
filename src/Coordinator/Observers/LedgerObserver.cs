using Distributed.Coordinator.Runs;

namespace Distributed.Coordinator.Observers;

/// <summary>
/// Writes which samples every step was trained on to <c>ledger.jsonl</c>, for those who want to see that each was used exactly once in an
/// epoch. Nothing depends on the file.
/// </summary>
/// <param name="ledger">The file.</param>
internal sealed class LedgerObserver(LedgerLog ledger) : IRunObserver
{
    /// <inheritdoc/>
    public string Name => LedgerLog.FileName;

    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (runEvent is SamplesUsed used)
            ledger.Append(used);
        else if (runEvent is RolledBack back)
            ledger.Truncate(back.Step);
    }
}
