using Distributed.Training;

namespace Distributed.Coordinator.Cluster.Control;

/// <summary>
/// What has been granted and not yet been completed by every member. A step is recorded once every member has reported it, in the order
/// of the grants; all members must report the same record, and its checksum must match the samples that were granted.
/// </summary>
internal sealed class StepLedger
{
    private readonly Queue<Entry> _open = new();

    /// <summary>Whether everything granted has been recorded.</summary>
    public bool IsEmpty => _open.Count == 0;

    /// <summary>Whether something is open that was granted of an earlier step.</summary>
    /// <param name="step">The step.</param>
    public bool HoldsBefore(long step) => _open.TryPeek(out var entry) && entry.Work.Step < step;

    /// <summary>The oldest piece of work that is not complete, and who has not reported it; null if there is none.</summary>
    public OpenWork? Oldest => _open.TryPeek(out var entry) ? new OpenWork(entry.Work, entry.Waiting) : null;

    /// <summary>Notes a grant.</summary>
    /// <param name="work">What was granted.</param>
    /// <param name="members">Who must complete it.</param>
    /// <param name="sampleChecksum">The checksum of its samples.</param>
    public void Granted(PlannedWork work, IEnumerable<int> members, ulong sampleChecksum) =>
        _open.Enqueue(new Entry(work, [.. members], sampleChecksum));

    /// <summary>Takes a member's report of a completed piece of work.</summary>
    /// <param name="member">Who.</param>
    /// <param name="work">What it has done.</param>
    /// <param name="record">The record, from members that have it; otherwise null.</param>
    /// <exception cref="InvalidDataException">
    /// It was not granted that, reports it twice, or its record differs from that of another member or from what was granted.
    /// </exception>
    public void Completed(int member, PlannedWork work, StepRecord? record)
    {
        var entry = _open.FirstOrDefault(open => open.Work == work);
        if (entry is null || !entry.Waiting.Remove(member))
            throw new InvalidDataException($"worker {member} reports {work.Kind} of step {work.Step}, which it was not granted");
        if (record is not { } told)
            return;
        if (told.SampleChecksum != entry.SampleChecksum)
            throw new InvalidDataException($"{work.Kind} of step {work.Step} was done on other samples than were granted");
        if (entry.Record is { } known && !HaveSameBits(known, told))
            throw new InvalidDataException($"its sums of {work.Kind} of step {work.Step} differ from those of another member");
        entry.Record = told;
    }

    /// <summary>A view has ended: what was granted up to a position counts as completed by all, and the rest as never granted.</summary>
    /// <param name="position">The position, see <see cref="PlannedWork.Position"/>.</param>
    public void EndView(long position)
    {
        var completed = _open.Where(entry => entry.Work.Position <= position).ToList();
        _open.Clear();
        foreach (var entry in completed)
        {
            entry.Waiting.Clear();
            _open.Enqueue(entry);
        }
    }

    /// <summary>Takes the oldest entry if every member has completed it.</summary>
    /// <param name="work">What was done.</param>
    /// <param name="record">Its record.</param>
    /// <exception cref="InvalidDataException">No member has reported the record.</exception>
    public bool TryRecord(out PlannedWork work, out StepRecord record)
    {
        (work, record) = (default, default);
        if (!_open.TryPeek(out var entry) || entry.Waiting.Count > 0)
            return false;
        _open.Dequeue();
        work = entry.Work;
        record = entry.Record ?? throw new InvalidDataException($"no member has told the sums of {work.Kind} of step {work.Step}");
        return true;
    }

    // Sums that are not finite are compared by their bits, too.
    private static bool HaveSameBits(in StepRecord left, in StepRecord right)
    {
        Span<byte> first = stackalloc byte[StepRecord.ByteLength],
            second = stackalloc byte[StepRecord.ByteLength];
        left.Write(first);
        right.Write(second);
        return first.SequenceEqual(second);
    }

    private sealed record Entry(PlannedWork Work, HashSet<int> Waiting, ulong SampleChecksum)
    {
        public StepRecord? Record { get; set; }
    }
}
