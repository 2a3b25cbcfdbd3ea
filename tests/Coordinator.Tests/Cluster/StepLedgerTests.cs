using Distributed.Collectives;
using Distributed.Coordinator.Cluster.Control.Granting;
using Distributed.Objectives;
using Distributed.Training;
using Google.Protobuf;
using Xunit;

namespace Distributed.Coordinator.Tests.Cluster;

public sealed class StepLedgerTests
{
    private const ulong Samples = 77;

    private static readonly PlannedWork First = new(WorkKind.Train, 1);
    private static readonly PlannedWork Second = new(WorkKind.Train, 2);
    private static readonly StepRecord Record = new(new BatchSums(1.5f, 2, 20), Samples);

    private static readonly ByteString Found = Record.ToBytes();

    private readonly StepLedger _ledger = new();

    [Fact]
    public void Work_is_recorded_when_every_member_has_completed_it_whoever_tells_its_sums()
    {
        _ledger.Granted(First, [4, 7], Samples);
        _ledger.Completed(7, First, Found);
        Assert.Null(_ledger.TryTake());
        _ledger.Completed(4, First, ByteString.Empty);

        var completed = _ledger.TryTake()!;
        Assert.Equal((First, Found, false), (completed.Work, completed.Camps.Single().Found, completed.IsDisputed));
        Assert.True(_ledger.IsEmpty);
    }

    [Fact]
    public void Work_is_recorded_in_the_order_in_which_it_was_granted()
    {
        _ledger.Granted(First, [4, 7], Samples);
        _ledger.Granted(Second, [4, 7], Samples);
        _ledger.Completed(4, First, Found);
        _ledger.Completed(4, Second, Found);
        _ledger.Completed(7, Second, Found);
        Assert.Null(_ledger.TryTake());
        _ledger.Completed(7, First, Found);

        Assert.Equal([First, Second], [_ledger.TryTake()!.Work, _ledger.TryTake()!.Work]);
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
        _ledger.Completed(4, First, Found);
        Assert.Throws<InvalidDataException>(() => _ledger.Completed(4, First, Found));
        Assert.Throws<InvalidDataException>(() => _ledger.Completed(5, First, Found));
        Assert.Throws<InvalidDataException>(() => _ledger.Completed(7, Second, Found));
        Assert.Throws<InvalidDataException>(() => _ledger.Completed(7, new(WorkKind.Evaluate, 1), Found));
    }

    [Fact]
    public void Members_that_find_different_things_are_told_apart()
    {
        var other = (Record with { Sums = new BatchSums(1.25f, 2, 20) }).ToBytes();
        _ledger.Granted(First, [4, 7, 9, 11], Samples);
        _ledger.Completed(4, First, Found);
        _ledger.Completed(7, First, other);
        _ledger.Completed(9, First, ByteString.Empty);
        _ledger.Completed(11, First, Found);

        var completed = _ledger.TryTake()!;
        Assert.True(completed.IsDisputed);
        Assert.Equal(
            [
                [4, 11],
                [7],
            ],
            completed.Camps.Select(camp => camp.Members)
        );
    }

    [Fact]
    public void Sums_that_are_no_numbers_are_compared_by_their_bits()
    {
        _ledger.Granted(First, [4, 7], Samples);
        foreach (var member in new[] { 4, 7 })
            _ledger.Completed(member, First, (Record with { Sums = new BatchSums(float.NaN, 2, 20) }).ToBytes());
        Assert.False(_ledger.TryTake()!.IsDisputed);
    }

    [Fact]
    public void Other_samples_than_were_granted_are_refused()
    {
        _ledger.Granted(First, [9], Samples);
        Assert.Contains(
            "other samples than were granted",
            Assert.Throws<InvalidDataException>(() => _ledger.Completed(9, First, (Record with { SampleChecksum = 78 }).ToBytes())).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void States_are_compared_as_far_as_their_holders_live()
    {
        PlannedWork compare = new(WorkKind.Compare, 1);
        var hash = ByteString.CopyFrom(new byte[StateHash.ByteLength]);
        _ledger.Granted(compare, [4, 7], sampleChecksum: 0);
        _ledger.Completed(4, compare, hash);
        _ledger.EndView(Positions.After(1));
        Assert.Equal([4], _ledger.TryTake()!.Camps.Single().Members);

        _ledger.Granted(compare, [4, 7], sampleChecksum: 0);
        _ledger.EndView(Positions.After(1));
        Assert.Empty(_ledger.TryTake()!.Camps);
    }

    [Fact]
    public void A_record_that_no_member_has_told_is_missed()
    {
        _ledger.Granted(First, [4], Samples);
        _ledger.Completed(4, First, ByteString.Empty);
        Assert.Throws<InvalidDataException>(_ledger.TryTake);
    }

    [Fact]
    public void When_a_view_has_ended_what_one_has_completed_is_recorded_and_the_rest_forgotten()
    {
        _ledger.Granted(First, [4, 7], Samples);
        _ledger.Granted(new(WorkKind.Evaluate, 1), [4, 7], Samples);
        _ledger.Granted(Second, [4, 7], Samples);
        _ledger.Completed(4, First, Found);
        _ledger.Completed(4, new(WorkKind.Evaluate, 1), Found);
        _ledger.Completed(7, First, Found);

        _ledger.EndView(Positions.AfterEvaluation(1));
        Assert.Equal([First, new(WorkKind.Evaluate, 1)], [_ledger.TryTake()!.Work, _ledger.TryTake()!.Work]);
        Assert.True(_ledger.IsEmpty);
    }
}
