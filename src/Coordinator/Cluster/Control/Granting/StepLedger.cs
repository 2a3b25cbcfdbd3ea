using Distributed.Training;
using Google.Protobuf;

namespace Distributed.Coordinator.Cluster.Control.Granting;

/// <summary>Members that found the same.</summary>
/// <param name="Found">What they found: the record of a step or an evaluation, or the hash of their states.</param>
/// <param name="Members">Their numbers.</param>
internal sealed record Camp(ByteString Found, List<int> Members);

/// <summary>A piece of work that every member has completed.</summary>
/// <param name="Work">What was done.</param>
/// <param name="Camps">
/// What members found, each finding once: one camp if all agree, none where those who could tell are gone before a comparison.
/// </param>
internal sealed record CompletedWork(PlannedWork Work, IReadOnlyList<Camp> Camps)
{
    /// <summary>Whether members that should have found the same did not.</summary>
    public bool IsDisputed => Camps.Count > 1;
}

/// <summary>
/// What has been granted and not yet been completed by every member. It is complete once every member has reported it, in the order of the
/// grants. Members that do the same must find the same, and the checksum of a record must match the samples that were granted.
/// </summary>
internal sealed class StepLedger
{
    private readonly Queue<Entry> _open = new();

    /// <summary>Whether everything granted is complete.</summary>
    public bool IsEmpty => _open.Count == 0;

    /// <summary>Whether something is open that was granted of an earlier step.</summary>
    /// <param name="step">The step.</param>
    public bool HoldsBefore(long step) => _open.TryPeek(out var entry) && entry.Work.Step < step;

    /// <summary>The oldest piece of work that is not complete, and who has not reported it; null if there is none.</summary>
    public OpenWork? Oldest => _open.TryPeek(out var entry) ? new OpenWork(entry.Work, entry.Waiting) : null;

    /// <summary>Notes a grant.</summary>
    /// <param name="work">What was granted.</param>
    /// <param name="members">Who must complete it.</param>
    /// <param name="sampleChecksum">The checksum of its samples; 0 where there are none.</param>
    public void Granted(PlannedWork work, IEnumerable<int> members, ulong sampleChecksum) =>
        _open.Enqueue(new Entry(work, [.. members], sampleChecksum));

    /// <summary>Takes a member's report of a completed piece of work.</summary>
    /// <param name="member">Who.</param>
    /// <param name="work">What it has done.</param>
    /// <param name="found">What it found; empty from members that cannot tell.</param>
    /// <exception cref="InvalidDataException">
    /// It was not granted that, reports it twice, or has done it on other samples than were granted.
    /// </exception>
    public void Completed(int member, PlannedWork work, ByteString found)
    {
        var entry = _open.FirstOrDefault(open => open.Work == work && open.Waiting.Contains(member)); // states are compared again if one is lost
        if (entry is null)
            throw new InvalidDataException($"worker {member} reports {work.Kind} of step {work.Step}, which it was not granted");
        entry.Waiting.Remove(member);
        if (found.IsEmpty)
            return;
        if (work.HasPlace && StepRecord.Read(found.Span).SampleChecksum != entry.SampleChecksum)
            throw new InvalidDataException($"{work.Kind} of step {work.Step} was done on other samples than were granted");
        if (entry.Camps.Find(camp => camp.Found.Equals(found)) is { } camp)
            camp.Members.Add(member);
        else
            entry.Camps.Add(new Camp(found, [member]));
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

    /// <summary>Takes the oldest piece of work if every member has completed it.</summary>
    /// <exception cref="InvalidDataException">No member has reported the record of a step or an evaluation.</exception>
    public CompletedWork? TryTake()
    {
        if (!_open.TryPeek(out var entry) || entry.Waiting.Count > 0)
            return null;
        _open.Dequeue();
        return entry.Camps.Count > 0 || !entry.Work.HasPlace
            ? new CompletedWork(entry.Work, entry.Camps)
            : throw new InvalidDataException($"no member has told the sums of {entry.Work.Kind} of step {entry.Work.Step}");
    }

    private sealed record Entry(PlannedWork Work, HashSet<int> Waiting, ulong SampleChecksum)
    {
        public List<Camp> Camps { get; } = [];
    }
}
