using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Coordinator.Runs;
using Distributed.Objectives;
using Distributed.Protocol;
using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control.Sessions;

/// <summary>
/// What a run takes over from an earlier coordinator: the log that it has left in the folder, and what workers have done since and bring
/// along.
/// </summary>
/// <param name="folder">The run folder.</param>
/// <param name="progress">Is told what has been done.</param>
/// <param name="takesStates">Whether workers' states count, which they do not beside a parameter server.</param>
internal sealed class Handover(RunFolder folder, RunProgress progress, bool takesStates)
{
    private bool _hasContinued; // the log has been cut to where the run goes on

    /// <summary>A state from an earlier session counts if nothing is missing that was done on the way to it.</summary>
    /// <param name="session">The worker.</param>
    /// <param name="ready">What it says that it holds.</param>
    /// <param name="lineage">The lineage of states that count.</param>
    /// <returns>The state's position; null if it has none that counts.</returns>
    public long? Brings(MemberSession session, Ready ready, uint lineage)
    {
        if (!ready.HoldsState || ready.Lineage != lineage || !takesStates)
            return null;
        var position = unchecked((long)ready.Position);
        session.Completed = [.. ready.Completed.Where(report => report.Record.Length == StepRecord.ByteLength)];
        return progress.CanTakeOver(position, [.. session.Completed.Select(RecordOf)]) ? position : null;
    }

    /// <summary>Records what workers bring, up to the position that the run goes on after.</summary>
    /// <param name="position">The position.</param>
    /// <param name="sessions">Those that take part.</param>
    public void TakeOver(long position, IReadOnlyCollection<MemberSession> sessions)
    {
        var brought = sessions
            .Select(session => session.Completed)
            .MaxBy(reports => reports.Count == 0 ? -1 : Reports.WorkOf(reports[^1]).Position)
            ?? [];
        ContinueFrom(position);
        foreach (var report in sessions.SelectMany(session => session.Completed))
            progress.Reported(report);
        progress.TakeOver(position, brought.Select(RecordOf));
    }

    /// <summary>The first view begins: from here on the log is this coordinator's own.</summary>
    public void Complete()
    {
        ContinueFrom(progress.Position);
        progress.ForgetLog();
    }

    /// <summary>States of earlier lineages count no more, which is kept before anybody is told.</summary>
    /// <param name="lineage">The lineage from now on.</param>
    /// <param name="sessions">Those that take part.</param>
    public void Forget(uint lineage, IEnumerable<MemberSession> sessions)
    {
        folder.WriteLineage(lineage);
        foreach (var session in sessions)
            session.Completed = [];
    }

    private static (PlannedWork Work, BatchSums Sums) RecordOf(StepReport report) =>
        (Reports.WorkOf(report), StepRecord.Read(report.Record.Span).Sums);

    private void ContinueFrom(long position)
    {
        if (_hasContinued)
            return;
        _hasContinued = true;
        folder.ContinueFrom(position);
    }
}
