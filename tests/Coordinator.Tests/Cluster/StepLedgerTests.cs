using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control;
using Distributed.Objectives;
using Distributed.Training;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class StepLedgerTests
{
    private const ulong Samples = 77;

    private static readonly PlannedWork First = new(WorkKind.Train, 1);
    private static readonly PlannedWork Second = new(WorkKind.Train, 2);
    private static readonly StepRecord Record = new(new BatchSums(1.5f, 2, 20), Samples);

    private readonly StepLedger _ledger = new();

    [Fact]
    public void Work_is_recorded_when_every_member_has_completed_it_whoever_tells_its_sums()
    {
        _ledger.Granted(First, [4, 7], Samples);
        _ledger.Completed(7, First, Record);
        Assert.False(_ledger.TryRecord(out _, out _));
        _ledger.Completed(4, First, null);

        Assert.True(_ledger.TryRecord(out var work, out var record));
        Assert.Equal((First, Record), (work, record));
        Assert.True(_ledger.IsEmpty);
    }

    [Fact]
    public void Work_is_recorded_in_the_order_in_which_it_was_granted()
    {
        _ledger.Granted(First, [4, 7], Samples);
        _ledger.Granted(Second, [4, 7], Samples);
        _ledger.Completed(4, First, Record);
        _ledger.Completed(4, Second, Record);
        _ledger.Completed(7, Second, Record);
        Assert.False(_ledger.TryRecord(out _, out _));
        _ledger.Completed(7, First, Record);

        Assert.True(_ledger.TryRecord(out var first, out _));
        Assert.True(_ledger.TryRecord(out var second, out _));
        Assert.Equal([First, Second], [first, second]);
    }

    [Fact]
    public void It_knows_whether_all_before_a_step_is_on_record()
    {
        Assert.False(_ledger.HoldsBefore(2));
        _ledger.Granted(First, [4], Samples);
        Assert.Equal((false, true), (_ledger.HoldsBefore(1), _ledger.HoldsBefore(2)));
    }

    [Fact]
    public void What_was_not_granted_is_refused()
    {
        _ledger.Granted(First, [4, 7], Samples);
        _ledger.Completed(4, First, Record);
        Assert.Throws<InvalidDataException>(() => _ledger.Completed(4, First, Record));
        Assert.Throws<InvalidDataException>(() => _ledger.Completed(5, First, Record));
        Assert.Throws<InvalidDataException>(() => _ledger.Completed(7, Second, Record));
        Assert.Throws<InvalidDataException>(() => _ledger.Completed(7, new(WorkKind.Evaluate, 1), Record));
    }

    [Fact]
    public void Sums_that_differ_between_members_and_other_samples_than_were_granted_are_refused()
    {
        _ledger.Granted(First, [4, 7, 9], Samples);
        _ledger.Completed(4, First, Record);
        Assert.Contains(
            "differ from those of another member",
            Assert
                .Throws<InvalidDataException>(() => _ledger.Completed(7, First, Record with { Sums = new BatchSums(1.25f, 2, 20) }))
                .Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "other samples than were granted",
            Assert.Throws<InvalidDataException>(() => _ledger.Completed(9, First, Record with { SampleChecksum = 78 })).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_record_that_no_member_has_told_is_missed()
    {
        _ledger.Granted(First, [4], Samples);
        _ledger.Completed(4, First, null);
        Assert.Throws<InvalidDataException>(() => _ledger.TryRecord(out _, out _));
    }

    [Fact]
    public void When_a_view_has_ended_what_one_has_completed_is_recorded_and_the_rest_forgotten()
    {
        _ledger.Granted(First, [4, 7], Samples);
        _ledger.Granted(new(WorkKind.Evaluate, 1), [4, 7], Samples);
        _ledger.Granted(Second, [4, 7], Samples);
        _ledger.Completed(4, First, Record);
        _ledger.Completed(4, new(WorkKind.Evaluate, 1), Record);
        _ledger.Completed(7, First, Record);

        _ledger.EndView(Positions.AfterEvaluation(1));
        Assert.True(_ledger.TryRecord(out var first, out _));
        Assert.True(_ledger.TryRecord(out var second, out _));
        Assert.Equal([First, new(WorkKind.Evaluate, 1)], [first, second]);
        Assert.True(_ledger.IsEmpty);
    }
}
